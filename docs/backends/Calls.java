import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jose4j.json.JsonUtil;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;

class Calls {
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
