import java.util.List;
import java.util.Map;

/** Commit receipts, then introspect a session: the state or code of each, and the subject; of an error its id. */
class Call {
    public static void main(String[] arguments) throws Exception {
        StringBuilder line = new StringBuilder();
        try {
            for (Map<String, Object> entry : Calls.commit(arguments[0], List.of(arguments[1].split(",")), arguments[2])) {
                Object state = entry.get("error") instanceof Map<?, ?> error ? error.get("code") : entry.get("state");
                line.append(state).append(" ");
            }
            Map<String, Object> who = Calls.introspect(arguments[0], arguments[3], arguments[2]);
            System.out.println(line.toString() + who.getOrDefault("sub", "inactive"));
        } catch (Calls.FunctionError error) {
            System.out.println(error.code + " " + error.requestId + " " + error.getMessage());
            System.exit(1);
        }
    }
}
