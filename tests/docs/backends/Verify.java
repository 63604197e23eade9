import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Scanner;
import org.jose4j.jwt.consumer.InvalidJwtException;

/** For each line "receipt secret" of standard input the receipt's key, seen and order, or "refused". */
class Verify {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Scanner lines = new Scanner(System.in, StandardCharsets.UTF_8);
        while (lines.hasNextLine()) {
            String[] parts = lines.nextLine().split(" ");
            try {
                Map<String, Object> claims = Receipts.verify(parts[0], parts[1]);
                Object order = ((Map<?, ?>) claims.get("context")).get("order");
                out.println(claims.get("key") + " " + claims.get("seen") + " " + order);
            } catch (InvalidJwtException error) {
                out.println("refused");
            }
        }
    }
}
