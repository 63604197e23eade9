import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Scanner;

/** For each line "id, timestamp, signature, secret, body" with tabs its event and key, or "refused". */
class Hear {
    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Scanner lines = new Scanner(System.in, StandardCharsets.UTF_8);
        while (lines.hasNextLine()) {
            String[] parts = lines.nextLine().split("\t");
            Map<String, String> headers =
                Map.of("webhook-id", parts[0], "webhook-timestamp", parts[1], "webhook-signature", parts[2]);
            try {
                Map<String, Object> event = Webhooks.verify(parts[4], headers, parts[3]);
                out.println(event.get("event") + " " + ((Map<?, ?>) event.get("claims")).get("key"));
            } catch (Exception error) {
                out.println("refused");
            }
        }
    }
}
