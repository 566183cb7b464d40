package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Both forms of the client offer the same: one waits, the other gives futures and publishers. */
class FormsTest {
    private static final Map<Class<?>, Class<?>> FORMS =
            Map.of(
                    Client.class, AsyncClient.class,
                    ContextState.class, AsyncContextState.class,
                    Context.class, AsyncContext.class,
                    Branch.class, AsyncBranch.class,
                    Session.class, AsyncSession.class,
                    ActiveContext.class, AsyncActiveContext.class,
                    History.class, AsyncHistory.class,
                    Points.class, AsyncPoints.class);

    // What asks nobody, so that there is nothing to wait for.
    private static final Set<String> LOCAL =
            Set.of("id", "namespace", "activation", "toString", "view", "close");

    // Shorter ways to what the other form has too, the ends of scopes, and how clients are made.
    private static final Set<String> SHORTER =
            Set.of(
                    "Client.async",
                    "Client.builder",
                    "Client.connect",
                    "ContextState.entries/0",
                    "ContextState.diff/1",
                    "ContextState.version",
                    "Session.activate/1",
                    "Session.activateExclusively",
                    "Session.isLost",
                    "Session.toString",
                    "Session.close",
                    "ActiveContext.acquire/1",
                    "ActiveContext.fence",
                    "ActiveContext.close",
                    "Branch.close");

    private static String other(Type type) {
        if (type instanceof Class<?> known && FORMS.containsKey(known)) {
            return FORMS.get(known).getTypeName();
        }
        return type.getTypeName();
    }

    private static String boxed(Type type) {
        Map<Type, Class<?>> boxes =
                Map.of(
                        void.class, Void.class,
                        boolean.class, Boolean.class,
                        long.class, Long.class,
                        int.class, Integer.class);
        Class<?> box = boxes.get(type);
        return box == null ? other(type) : box.getTypeName();
    }

    /** What the other form may give for a result of the one that waits. */
    private static Set<String> results(Method method) {
        Type result = method.getGenericReturnType();
        if (result instanceof ParameterizedType many && many.getRawType() == Iterable.class) {
            String element = other(many.getActualTypeArguments()[0]);
            return Set.of(Flow.Publisher.class.getTypeName() + "<" + element + ">");
        }
        if (result == Subscription.class) {
            String event = Event.class.getTypeName();
            return Set.of(Flow.Publisher.class.getTypeName() + "<" + event + ">");
        }
        Type given = result == ActiveContext.Held.class ? HeldResource.class : result;
        String later = CompletableFuture.class.getTypeName() + "<" + boxed(given) + ">";
        boolean handle = result instanceof Class<?> known && FORMS.containsKey(known);
        return handle || LOCAL.contains(method.getName())
                ? Set.of(later, other(result))
                : Set.of(later);
    }

    private static List<String> parameters(Method method) {
        return Arrays.stream(method.getGenericParameterTypes()).map(FormsTest::other).toList();
    }

    private static Stream<Method> offered(Class<?> form) {
        return Arrays.stream(form.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isBridge());
    }

    private static boolean isShorter(Method method) {
        String name = method.getDeclaringClass().getSimpleName() + "." + method.getName();
        return SHORTER.contains(name)
                || SHORTER.contains(name + "/" + method.getParameterCount());
    }

    @TestFactory
    Stream<DynamicTest> whatWaitsIsThereWithFuturesToo() {
        return FORMS.keySet().stream()
                .flatMap(FormsTest::offered)
                .filter(method -> !isShorter(method))
                .map(method -> DynamicTest.dynamicTest(method.toString(), () -> check(method)));
    }

    private static void check(Method waits) {
        Class<?> form = FORMS.get(waits.getDeclaringClass());
        Set<String> there =
                offered(form)
                        .filter(method -> method.getName().equals(waits.getName()))
                        .filter(method -> parameters(method).equals(parameters(waits)))
                        .map(method -> method.getGenericReturnType().getTypeName())
                        .collect(Collectors.toCollection(TreeSet::new));
        assertTrue(
                there.stream().anyMatch(results(waits)::contains),
                () -> form.getSimpleName() + " gives " + there + ", not " + results(waits));
    }
}
