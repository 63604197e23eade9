import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.keys.HmacKey;

class Commits {
    static String commit(String function, List<String> receipts, String secret) throws Exception {
        JwtClaims claims = new JwtClaims();
        claims.setAudience("oss-direct-upload/backend");
        claims.setExpirationTimeMinutesInTheFuture(5);
        JsonWebSignature token = new JsonWebSignature();
        token.setAlgorithmHeaderValue("HS256");
        token.setKey(new HmacKey(secret.getBytes(UTF_8)));
        token.setPayload(claims.toJson());
        String body = "{\"receipts\":[\"" + String.join("\",\"", receipts) + "\"]}";
        HttpRequest request = HttpRequest.newBuilder(URI.create(function + "/commit"))
            .timeout(Duration.ofSeconds(15))
            .header("Authorization", "Bearer " + token.getCompactSerialization())
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new Exception("commit: HTTP " + answer.statusCode());
        return answer.body();
    }
}
