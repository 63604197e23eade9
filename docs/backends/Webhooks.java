import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jose4j.json.JsonUtil;

class Webhooks {
    /** Names of headers in lower case. */
    static Map<String, Object> verify(String body, Map<String, String> headers, String secret) throws Exception {
        String id = headers.get("webhook-id"), timestamp = headers.get("webhook-timestamp");
        if (Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(timestamp)) > 300) {
            throw new SecurityException("too old or too new");
        }
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
        byte[] hash = mac.doFinal((id + "." + timestamp + "." + body).getBytes(UTF_8));
        byte[] expected = ("v1," + Base64.getEncoder().encodeToString(hash)).getBytes(UTF_8);
        boolean matches = false;
        for (String given : headers.get("webhook-signature").split(" ")) {
            matches |= MessageDigest.isEqual(expected, given.getBytes(UTF_8));
        }
        if (!matches) throw new SecurityException("bad signature");
        Map<String, Object> event = JsonUtil.parseJson(body);
        if (event.get("receipt") instanceof String receipt) {
            byte[] payload = Base64.getUrlDecoder().decode(receipt.split("\\.")[1]);
            event.put("claims", JsonUtil.parseJson(new String(payload, UTF_8)));
        }
        return event;
    }
}
