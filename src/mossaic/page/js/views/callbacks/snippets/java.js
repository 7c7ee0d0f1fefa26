import { javaQuoted } from "./literals.js";

/** @param {import("../record.js").Evidence} call */
export const java = (call) => `// VerifyCallback.java: Java 11 or newer, run with "java VerifyCallback.java"; no library.
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;

public class VerifyCallback {
  // The key is taken from here only: whoever calls you can name any URL. Keep the slash at the end.
  static final String TRUSTED = ${javaQuoted(call.trusted)};

  /** Fetches the key; keep what it returns for a while in your service. */
  static PublicKey publicKey(String url) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(5)).build();
    String pem = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    String base64 = pem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\\\s", "");
    return KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(base64)));
  }

  /** target: path and query of the request line, as received; headers: names in lower case; body: not parsed. */
  static boolean isGenuine(String target, Map<String, String> headers, byte[] body) throws Exception {
    byte[] keyUrl;
    byte[] signature;
    try {
      keyUrl = Base64.getDecoder().decode(headers.getOrDefault("x-oss-pub-key-url", ""));
      signature = Base64.getDecoder().decode(headers.getOrDefault("authorization", ""));
    } catch (IllegalArgumentException noBase64) {
      return false;
    }
    String url = new String(keyUrl, StandardCharsets.UTF_8);
    if (!url.startsWith(TRUSTED)) {
      return false;
    }
    int mark = (target + "?").indexOf('?');
    // URLDecoder takes a plus for a blank; in a path it is a plus.
    String path = URLDecoder.decode(target.substring(0, mark).replace("+", "%2B"), StandardCharsets.UTF_8);
    ByteArrayOutputStream signed = new ByteArrayOutputStream();
    signed.write((path + target.substring(mark) + "\\n").getBytes(StandardCharsets.UTF_8));
    signed.write(body);
    Signature check = Signature.getInstance("MD5withRSA");
    check.initVerify(publicKey(url));
    check.update(signed.toByteArray());
    try {
      return check.verify(signature);
    } catch (SignatureException malformed) {
      return false;
    }
  }

  /** The callback of ${call.at}. */
  public static void main(String[] arguments) throws Exception {
    String target = ${javaQuoted(call.target)};
    Map<String, String> headers = Map.of(
        "x-oss-pub-key-url", ${javaQuoted(call.keyUrlHeader)},
        "authorization", ${javaQuoted(call.signature)});
    byte[] body = ${javaQuoted(call.body)}.getBytes(StandardCharsets.UTF_8);

    boolean genuine = isGenuine(target, headers, body);
    System.out.println(genuine ? "genuine" : "NOT genuine");
    System.exit(genuine ? 0 : 1);
  }
}
`;
