#!/bin/bash
# Uses the built jar as anybody does: the README's first program, in an empty folder, with a pom
# that names nothing but the client, compiled by Maven and run with a real server.
#
#   clients/java/package-test.sh
#
# ./test.sh runs it behind the tests. Without $CONTEXTD_BINARY the program is only built.
set -euo pipefail
cd "$(dirname "$0")"

folder=$(mktemp -d)
server=
cleanup() {
    if [[ -n $server ]]; then
        kill "$server"
        wait "$server" || true
    fi
    rm -rf "$folder"
}
trap cleanup EXIT

fail() {
    echo "FAILED the jar, used from an empty folder: $1"
    echo "0 passed, 1 failed"
    exit 1
}

version=$(sed -n 's:^  <version>\(.*\)</version>$:\1:p' pom.xml)

# A repository with everything that Maven has already, and the client as it was just built.
repository=$folder/repository
filled=$HOME/.m2/repository
mkdir -p "$repository/dev/contextd/contextd-client/$version"
find "$filled" -mindepth 1 -maxdepth 1 ! -name dev -exec ln -s -t "$repository" {} +
if [[ -d $filled/dev ]]; then
    find "$filled/dev" -mindepth 1 -maxdepth 1 ! -name contextd \
        -exec ln -s -t "$repository/dev" {} +
fi
installed=$repository/dev/contextd/contextd-client/$version/contextd-client-$version
cp "target/contextd-client-$version.jar" "$installed.jar"
cp pom.xml "$installed.pom"

# block MARK: the code behind `<!-- MARK -->` in the README.
block() {
    awk -v mark="<!-- $1 -->" '
        $0 == mark { found = 1; next }
        found && /^```/ { if (inside) exit; inside = 1; next }
        inside { print }' README.md
}

mkdir -p "$folder/first/src/main/java"
block "program: First" >"$folder/first/src/main/java/First.java"
block "output: First" >"$folder/expected"
cat >"$folder/first/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>first</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
$(block dependency)
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <artifactId>maven-compiler-plugin</artifactId>
        <version>3.16.0</version>
        <configuration>
          <compilerArgs><arg>-Xlint:all</arg><arg>-Werror</arg></compilerArgs>
        </configuration>
      </plugin>
      <plugin>
        <artifactId>maven-jar-plugin</artifactId>
        <version>3.5.0</version>
        <configuration>
          <archive>
            <manifest>
              <mainClass>First</mainClass>
              <addClasspath>true</addClasspath>
              <classpathPrefix>$repository/</classpathPrefix>
              <classpathLayoutType>repository</classpathLayoutType>
            </manifest>
          </archive>
        </configuration>
      </plugin>
    </plugins>
  </build>
</project>
POM

cd "$folder/first"
if [[ -n ${CONTEXTD_BINARY:-} ]]; then
    env -u CONTEXTD_BINARY -u CONTEXTD_RESTARTS -u CONTEXTD_SEED \
        "$CONTEXTD_BINARY" --listen 127.0.0.1:0 --data-dir "$folder/data" \
        --port-file "$folder/port" >"$folder/words" 2>&1 &
    server=$!
    until [[ -s $folder/port ]]; do
        kill -0 "$server" 2>/dev/null || fail "the server does not start: $(<"$folder/words")"
        sleep 0.1
    done
    # The address of the server, and time for a busy machine.
    patient="\"127.0.0.1:$(<"$folder/port")\").timeout(java.time.Duration.ofMinutes(2))"
    sed -i "s/\"127.0.0.1:7420\")/$patient/" src/main/java/First.java
fi

maven=(mvn --batch-mode --no-transfer-progress --quiet -T1 "-Dmaven.repo.local=$repository")
"${maven[@]}" --offline package >log 2>&1 || "${maven[@]}" package >log 2>&1 || {
    cat log
    fail "it does not build"
}
if [[ -z $server ]]; then
    echo "0 passed, 0 failed, 1 skipped"
    exit
fi
timeout 300 java -jar target/first-1.jar >"$folder/told" || fail "the program failed"
diff "$folder/expected" "$folder/told" || fail "the program printed something else"
echo "1 passed, 0 failed"
