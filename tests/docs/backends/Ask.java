import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Scanner;

/** As ask.py. */
class Ask {
    static List<Object> asked(String[] of) throws Exception {
        if (of[0].equals("receipt")) {
            Map<String, Object> claims = Uploads.verifyReceipt(of[1], of[2]);
            return List.of(claims.get("key"), claims.get("seen"), ((Map<?, ?>) claims.get("context")).get("order"));
        }
        if (of[0].equals("webhook")) {
            Map<String, String> headers =
                Map.of("webhook-id", of[1], "webhook-timestamp", of[2], "webhook-signature", of[3]);
            Map<String, Object> event = Uploads.verifyWebhook(of[5], headers, of[4]);
            return List.of(event.get("event"), ((Map<?, ?>) event.get("claims")).get("key"));
        }
        List<Object> said = new ArrayList<>();
        for (Map<String, Object> entry : Uploads.commit(of[1], List.of(of[2].split(",")), of[3])) {
            said.add(entry.get("error") instanceof Map<?, ?> error ? error.get("code") : entry.get("state"));
        }
        said.add(Uploads.introspect(of[1], of[4], of[3]).getOrDefault("sub", "inactive"));
        return said;
    }

    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Scanner lines = new Scanner(System.in, StandardCharsets.UTF_8);
        while (lines.hasNextLine()) {
            try {
                out.println(String.join(" ", asked(lines.nextLine().split("\t", -1)).stream().map(String::valueOf).toList()));
            } catch (Uploads.FunctionError error) {
                out.println(error.code + " " + error.requestId + " " + error.getMessage());
            } catch (Exception error) {
                out.println("refused");
            }
        }
    }
}
