import static java.nio.charset.StandardCharsets.UTF_8;
import static org.jose4j.jwa.AlgorithmConstraints.ConstraintType.PERMIT;

import java.util.Map;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.HmacKey;

class Receipts {
    static Map<String, Object> verify(String receipt, String secret) throws Exception {
        return new JwtConsumerBuilder()
            .setVerificationKey(new HmacKey(secret.getBytes(UTF_8)))
            .setJwsAlgorithmConstraints(PERMIT, "HS256")
            .setExpectedAudience("oss-direct-upload/receipt")
            .setRequireExpirationTime()
            .build().processToClaims(receipt).getClaimsMap();
    }
}
