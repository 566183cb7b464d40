package dev.contextd.client.conformance;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What a case has saved. A scope has one name more, which is seen inside of it alone. */
final class Names {
    private static final Object NULL = new Object();

    private final Map<String, Object> saved;
    private final Names outer;
    private final String name;
    private final Object value;

    private Names(Map<String, Object> saved, Names outer, String name, Object value) {
        this.saved = saved;
        this.outer = outer;
        this.name = name;
        this.value = value;
    }

    static Names of(String namespace) {
        Map<String, Object> saved = new ConcurrentHashMap<>();
        saved.put("namespace", namespace);
        return new Names(saved, null, "", null);
    }

    Names with(String more, Object itsValue) {
        return new Names(saved, this, more, itsValue);
    }

    Object get(String wanted) {
        for (Names scope = this; scope != null; scope = scope.outer) {
            if (scope.name.equals(wanted)) {
                return scope.value;
            }
        }
        Object found = saved.get(wanted);
        if (found == null) {
            throw new Mismatch("nothing was saved as '" + wanted + "'");
        }
        return found == NULL ? null : found;
    }

    void set(String of, Object thing) {
        saved.put(of, thing == null ? NULL : thing);
    }
}
