import static java.nio.charset.StandardCharsets.UTF_8;
import static org.jose4j.jwa.AlgorithmConstraints.ConstraintType.PERMIT;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jose4j.json.JsonUtil;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;

/** What a backend needs: verify receipts and webhooks, call the function. */
class Uploads {
    static Map<String, Object> verifyReceipt(String receipt, String secret) throws Exception {
        return new JwtConsumerBuilder()
            .setVerificationKey(new HmacKey(secret.getBytes(UTF_8)))
            .setJwsAlgorithmConstraints(PERMIT, "HS256")
            .setExpectedAudience("oss-direct-upload/receipt")
            .setRequireExpirationTime()
            .build().processToClaims(receipt).getClaimsMap();
    }

    /** Names of headers in lower case. */
    static Map<String, Object> verifyWebhook(String body, Map<String, String> headers, String secret) throws Exception {
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

    static class FunctionError extends Exception {
        final String code, requestId;

        FunctionError(String message, Object code, Object requestId) {
            super(message);
            this.code = String.valueOf(code);
            this.requestId = String.valueOf(requestId);
        }
    }

    static Map<String, Object> call(String function, String route, Map<String, Object> body, String secret) throws Exception {
        JwtClaims claims = new JwtClaims();
        claims.setAudience("oss-direct-upload/backend");
        claims.setExpirationTimeMinutesInTheFuture(5);
        JsonWebSignature token = new JsonWebSignature();
        token.setAlgorithmHeaderValue("HS256");
        token.setKey(new HmacKey(secret.getBytes(UTF_8)));
        token.setPayload(claims.toJson());
        HttpRequest request = HttpRequest.newBuilder(URI.create(function + "/" + route))
            .timeout(Duration.ofSeconds(15))
            .header("Authorization", "Bearer " + token.getCompactSerialization())
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(JsonUtil.toJson(body))).build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() == 200) return JsonUtil.parseJson(answer.body());
        Map<?, ?> said = Map.of();
        try {
            if (JsonUtil.parseJson(answer.body()).get("error") instanceof Map<?, ?> error) said = error;
        } catch (JoseException noJson) {
            // From a gateway before the function.
        }
        Object message = said.get("message");
        String fallback = route + ": HTTP " + answer.statusCode();
        throw new FunctionError(message == null ? fallback : message.toString(), said.get("code"), said.get("requestId"));
    }

    /** For each receipt, in order, its state, or an error: repeat those later. */
    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> commit(String function, List<String> receipts, String secret) throws Exception {
        return (List<Map<String, Object>>) call(function, "commit", Map.of("receipts", receipts), secret).get("results");
    }

    /** Whose session it is: sub, owner, exp; or active: false. */
    static Map<String, Object> introspect(String function, String session, String secret) throws Exception {
        return call(function, "introspect", Map.of("token", session), secret);
    }
}
