package conformance

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// runners is what all cases have in common.
type runners struct {
	shared    *realserver.Server
	addresses map[string]string
	count     int
}

func newRunners(t *testing.T) *runners {
	return &runners{shared: realserver.Start(t), addresses: strangers(t)}
}

// run gives what a case failed with.
func (r *runners) run(t *testing.T, one Case) error {
	r.count++
	namespace := fmt.Sprintf("case-%d", r.count)
	if one.Server == nil {
		return newWorld(r.shared, false, r.addresses, namespace).RunCase(one)
	}
	settings := copied(one.Server)
	kind, _ := settings["tls"].(string)
	delete(settings, "tls")
	var secured *security
	flags := flagsOf(settings)
	if kind != "" {
		secured = newSecurity(t, kind)
		flags = append(flags, secured.flags()...)
	}
	world := newWorld(realserver.Start(t, flags...), true, r.addresses, namespace)
	world.security = secured
	return world.RunCase(one)
}

// strangers are addresses where there is no contextd.
func strangers(t *testing.T) map[string]string {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asks, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for listener, server := range map[net.Listener]*grpc.Server{
		other: grpc.NewServer(), asks: grpc.NewServer(grpc.UnknownServiceHandler(tellToken)),
	} {
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(server.Stop)
	}
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	return map[string]string{
		"nobody": nobody.Addr().String(), "other_grpc": other.Addr().String(),
		"http": web.Listener.Addr().String(), "asks_token": asks.Addr().String(),
		"elsewhere": "contextd.example:7420",
	}
}

// tellToken refuses a call, and tells what it brought to show who calls.
func tellToken(_ any, stream grpc.ServerStream) error {
	return grpcstatus.Error(codes.Unauthenticated,
		strings.Join(metadata.ValueFromIncomingContext(stream.Context(), "authorization"), " "))
}

func read(t *testing.T, folder string) []Case {
	t.Helper()
	cases, err := ReadCases(folder)
	if err != nil || len(cases) == 0 {
		t.Fatalf("%d cases in %s, %v", len(cases), folder, err)
	}
	return cases
}

func TestTheClientDoesWhatTheCaseSays(t *testing.T) {
	r := newRunners(t)
	for _, one := range read(t, "cases") {
		t.Run(one.File+"/"+one.ID, func(t *testing.T) {
			err := r.run(t, one)
			missing, isMissing := notYet[one.ID]
			switch {
			case isMissing && err == nil:
				t.Errorf("it passes: take it off the list (%s)", missing)
			case isMissing:
				t.Skipf("not offered yet: %s", missing)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

func TestACaseThatIsWrongFailsWhereItIsWrong(t *testing.T) {
	r := newRunners(t)
	for _, one := range read(t, "must_fail") {
		t.Run(one.ID, func(t *testing.T) {
			err := r.run(t, one)
			if err == nil {
				t.Fatal("it passes")
			}
			where := fmt.Sprintf("step %d: ", one.FailsAt)
			if !strings.HasPrefix(err.Error(), where) || !strings.Contains(err.Error(), one.Says) {
				t.Errorf("%v: not what it says: %q at %q", err, one.Says, where)
			}
		})
	}
}

func TestWhatIsNotOfferedYetAreCases(t *testing.T) {
	ids := map[string]bool{}
	for _, one := range read(t, "cases") {
		ids[one.ID] = true
	}
	for id := range notYet {
		if !ids[id] {
			t.Errorf("there is no case %q", id)
		}
	}
}
