package mossaic.e2e;

import com.aliyun.oss.ClientBuilderConfiguration;
import com.aliyun.oss.HttpMethod;
import com.aliyun.oss.OSS;
import com.aliyun.oss.OSSClientBuilder;
import com.aliyun.oss.OSSException;
import com.aliyun.oss.common.auth.DefaultCredentialProvider;
import com.aliyun.oss.common.comm.SignVersion;
import com.aliyun.oss.event.ProgressEventType;
import com.aliyun.oss.internal.OSSHeaders;
import com.aliyun.oss.model.*;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Drives a running Mossaic with Alibaba's Java SDK. Arguments: the flow's name and the signature version (V1, V2, V4); the rest
 * comes from E2E_* variables. tests/e2e/java/test_java.py runs each flow and looks into the server's log afterwards.
 */
public final class Flows {
    private static final int PART = 102400;
    private static final int SIZE = 7 * PART + 1234;
    private static final String KEY = "папка/big file+&.bin";

    private final OSS client;
    private final String bucket = variable("E2E_BUCKET");

    private Flows(SignVersion version) {
        ClientBuilderConfiguration settings = new ClientBuilderConfiguration();
        settings.setSignatureVersion(version);
        settings.setMaxErrorRetry(0);
        DefaultCredentialProvider keys =
            new DefaultCredentialProvider(variable("E2E_KEY_ID"), variable("E2E_KEY_SECRET"), System.getenv("E2E_TOKEN"));
        client = OSSClientBuilder.create().endpoint(variable("E2E_ENDPOINT")).credentialsProvider(keys)
            .clientConfiguration(settings).region("cn-hangzhou").build();
    }

    public static void main(String[] arguments) throws Throwable {
        Flows flows = new Flows(SignVersion.valueOf(arguments[1]));
        switch (arguments[0]) {
            case "uploadWithProgress": flows.uploadWithProgress(); break;
            case "uploadAndDie": flows.uploadAndDie(); break;
            case "resume": flows.resume(); break;
            case "listWhileUploading": flows.listWhileUploading(); break;
            case "abort": flows.abort(); break;
            case "headersTagsAndMeta": flows.headersTagsAndMeta(); break;
            case "forbidOverwriteAndStorageClass": flows.forbidOverwriteAndStorageClass(); break;
            case "rangesAndCopies": flows.rangesAndCopies(); break;
            case "appendSymlinkListDelete": flows.appendSymlinkListDelete(); break;
            case "callback": flows.callback(); break;
            case "failedCallback": flows.failedCallback(); break;
            case "presigned": flows.presigned(); break;
            default: throw new IllegalArgumentException(arguments[0]);
        }
        flows.client.shutdown();
        System.out.println("passed " + arguments[0]);
    }

    private void uploadWithProgress() throws Throwable {
        AtomicLong seen = new AtomicLong();
        UploadFileRequest request = new UploadFileRequest(bucket, KEY, source().toString(), PART, 3);
        request.setProgressListener(event -> {
            if (event.getEventType() == ProgressEventType.REQUEST_BYTE_TRANSFER_EVENT) {
                seen.addAndGet(event.getBytes());
            }
        });

        client.uploadFile(request);

        equal("progress", seen.get(), (long) SIZE);
        sameBytes(read(KEY, null), noise(SIZE));
    }

    /** The process ends itself without a word once three parts are through. */
    private void uploadAndDie() throws Throwable {
        AtomicLong parts = new AtomicLong();
        UploadFileRequest request = resumable();
        request.setProgressListener(event -> {
            if (event.getEventType() == ProgressEventType.REQUEST_BYTE_TRANSFER_EVENT && parts.incrementAndGet() == 3) {
                Runtime.getRuntime().halt(9);
            }
        });
        client.uploadFile(request);
    }

    private void resume() throws Throwable {
        client.uploadFile(resumable());
        sameBytes(read(KEY, null), noise(SIZE));
    }

    private UploadFileRequest resumable() throws Exception {
        String checkpoint = Path.of(variable("E2E_FOLDER"), "checkpoint").toString();
        return new UploadFileRequest(bucket, KEY, source().toString(), PART, 1, true, checkpoint);
    }

    private void listWhileUploading() {
        String id = begin(null);
        PartETag first = putPart(id, 1, noise(PART));
        putPart(id, 3, noise(5));

        List<PartSummary> parts = client.listParts(new ListPartsRequest(bucket, KEY, id)).getParts();
        List<MultipartUpload> uploads = client.listMultipartUploads(new ListMultipartUploadsRequest(bucket)).getMultipartUploads();

        equal("parts", parts.size(), 2);
        equal("etag", parts.get(0).getETag(), first.getETag());
        equal("second number", parts.get(1).getPartNumber(), 3);
        equal("uploads", uploads.size(), 1);
        equal("key", uploads.get(0).getKey(), KEY);
        equal("upload id", uploads.get(0).getUploadId(), id);
    }

    private void abort() {
        String id = begin(null);
        PartETag part = putPart(id, 1, noise(PART));
        client.abortMultipartUpload(new AbortMultipartUploadRequest(bucket, KEY, id));

        refused("NoSuchUpload", () -> putPart(id, 2, noise(PART)));
        refused("NoSuchUpload", () -> client.listParts(new ListPartsRequest(bucket, KEY, id)));
        refused("NoSuchUpload", () -> client.completeMultipartUpload(completion(id, part)));
    }

    private void headersTagsAndMeta() {
        ObjectMetadata headers = new ObjectMetadata();
        headers.setCacheControl("no-cache");
        headers.setContentDisposition("example.txt");
        headers.setContentEncoding("utf-8");
        headers.setHeader("Expires", "1000");
        headers.setHeader(OSSHeaders.OSS_STORAGE_CLASS, "IA");
        headers.addUserMetadata("author", "somebody");
        Map<String, String> tags = new TreeMap<>(Map.of("Tag1", "1", "Tag2", "a b"));
        headers.setObjectTagging(tags);
        String id = begin(headers);
        client.completeMultipartUpload(completion(id, putPart(id, 1, noise(9))));

        ObjectMetadata back = client.getObjectMetadata(bucket, KEY);
        equal("cache", back.getCacheControl(), "no-cache");
        equal("disposition", back.getContentDisposition(), "example.txt");
        equal("encoding", back.getContentEncoding(), "utf-8");
        equal("expires", back.getRawExpiresValue(), "1000");
        equal("class", back.getObjectStorageClass(), StorageClass.IA);
        equal("author", back.getUserMetadata().get("author"), "somebody");
        equal("type", back.getObjectType(), "Multipart");
        equal("tags", new TreeMap<>(client.getObjectTagging(bucket, KEY).getAllTags()), tags);
    }

    private void forbidOverwriteAndStorageClass() {
        String id = begin(null);
        PartETag part = putPart(id, 1, noise(PART));
        put(KEY, "first");

        CompleteMultipartUploadRequest guarded = completion(id, part);
        guarded.addHeader("x-oss-forbid-overwrite", "true");
        refused("FileAlreadyExists", () -> client.completeMultipartUpload(guarded));
        CompleteMultipartUploadRequest classed = completion(id, part);
        classed.addHeader("x-oss-storage-class", "IA");
        refused("OperationNotSupported", () -> client.completeMultipartUpload(classed));
        sameBytes(read(KEY, null), text("first"));
    }

    private void rangesAndCopies() {
        byte[] data = noise(3 * PART);
        client.putObject(bucket, KEY, new ByteArrayInputStream(data));
        String id = begin(null, "copy");
        List<PartETag> parts = new ArrayList<>();
        for (int number = 1; number <= 3; number++) {
            UploadPartCopyRequest request = new UploadPartCopyRequest(bucket, KEY, bucket, "copy", id, number,
                (long) (number - 1) * PART, (long) PART);
            parts.add(client.uploadPartCopy(request).getPartETag());
        }
        client.completeMultipartUpload(new CompleteMultipartUploadRequest(bucket, "copy", id, parts));

        sameBytes(read("copy", null), data);
        sameBytes(read("copy", new long[] {PART - 2, 2L * PART + 5}), Arrays.copyOfRange(data, PART - 2, 2 * PART + 6));
        client.copyObject(bucket, "copy", bucket, "whole");
        sameBytes(read("whole", null), data);
    }

    private void appendSymlinkListDelete() {
        AppendObjectResult first = client.appendObject(new AppendObjectRequest(bucket, "log", stream("0123")).withPosition(0L));
        client.appendObject(new AppendObjectRequest(bucket, "log", stream("4")).withPosition(first.getNextPosition()));
        client.createSymlink(bucket, "link", "log");

        sameBytes(read("link", null), text("01234"));
        equal("target", client.getSymlink(bucket, "link").getTarget(), "log");
        ListObjectsV2Result listed = client.listObjectsV2(bucket);
        equal("V2", listed.getObjectSummaries().size(), 2);
        equal("V1", client.listObjects(bucket).getObjectSummaries().get(0).getKey(), "link");
        DeleteObjectsRequest gone = new DeleteObjectsRequest(bucket).withKeys(List.of("link", "log"));
        equal("deleted", client.deleteObjects(gone).getDeletedObjects().size(), 2);
        equal("exists", client.doesObjectExist(bucket, "log"), false);
    }

    private void callback() throws Exception {
        String id = begin(null);
        CompleteMultipartUploadRequest request = completion(id, putPart(id, 1, noise(PART + 1)));
        Callback callback = new Callback();
        callback.setCallbackUrl(variable("E2E_CALLBACK"));
        callback.setCallbackBody("bucket=${bucket}&object=${object}&size=${size}&order=${x:order}");
        callback.setCalbackBodyType(Callback.CalbackBodyType.URL);
        callback.addCallbackVar("x:order", "42 & more");
        request.setCallback(callback);

        CompleteMultipartUploadResult result = client.completeMultipartUpload(request);

        try (InputStream answer = result.getCallbackResponseBody()) {
            equal("answer", new String(answer.readAllBytes(), StandardCharsets.UTF_8), "{\"Status\":\"OK\"}");
        }
    }

    private void failedCallback() {
        PutObjectRequest request = new PutObjectRequest(bucket, KEY, stream("kept"));
        Callback callback = new Callback();
        callback.setCallbackUrl(variable("E2E_CALLBACK") + "/fail");
        callback.setCallbackBody("a=b");
        request.setCallback(callback);

        refused("CallbackFailed", () -> client.putObject(request));
        sameBytes(read(KEY, null), text("kept"));
    }

    private void presigned() throws Exception {
        put(KEY, "hello");
        URL url = client.generatePresignedUrl(bucket, KEY, new Date(System.currentTimeMillis() + 60_000), HttpMethod.GET);

        HttpURLConnection connection = (HttpURLConnection) url.openConnection();
        equal("status", connection.getResponseCode(), 200);
        try (InputStream body = connection.getInputStream()) {
            sameBytes(body.readAllBytes(), text("hello"));
        }
    }

    private String begin(ObjectMetadata headers) {
        return client.initiateMultipartUpload(new InitiateMultipartUploadRequest(bucket, KEY, headers)).getUploadId();
    }

    private String begin(ObjectMetadata headers, String key) {
        return client.initiateMultipartUpload(new InitiateMultipartUploadRequest(bucket, key, headers)).getUploadId();
    }

    private PartETag putPart(String id, int number, byte[] data) {
        UploadPartRequest request = new UploadPartRequest(bucket, KEY, id, number, new ByteArrayInputStream(data), data.length);
        return client.uploadPart(request).getPartETag();
    }

    private CompleteMultipartUploadRequest completion(String id, PartETag... parts) {
        return new CompleteMultipartUploadRequest(bucket, KEY, id, new ArrayList<>(List.of(parts)));
    }

    private void put(String key, String content) {
        client.putObject(bucket, key, stream(content));
    }

    private byte[] read(String key, long[] range) {
        GetObjectRequest request = new GetObjectRequest(bucket, key);
        if (range != null) {
            request.setRange(range[0], range[1]);
        }
        try (OSSObject object = client.getObject(request)) {
            return object.getObjectContent().readAllBytes();
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    private static Path source() throws Exception {
        Path file = Path.of(variable("E2E_FOLDER"), "big.bin");
        if (!Files.exists(file)) { // a second run must find the file untouched: the SDK compares its time with the checkpoint's
            Files.write(file, noise(SIZE));
        }
        return file;
    }

    private static byte[] noise(int size) {
        byte[] data = new byte[size];
        new Random(7).nextBytes(data);
        return data;
    }

    private static byte[] text(String content) {
        return content.getBytes(StandardCharsets.UTF_8);
    }

    private static InputStream stream(String content) {
        return new ByteArrayInputStream(text(content));
    }

    private static String variable(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalStateException(name + " is not set");
        }
        return value;
    }

    private static void refused(String code, Runnable attempt) {
        try {
            attempt.run();
        } catch (OSSException error) {
            equal("code", error.getErrorCode(), code);
            equal("length of the request id", error.getRequestId().length(), 24);
            return;
        }
        throw new AssertionError("expected " + code);
    }

    private static void equal(String what, Object got, Object want) {
        if (!want.equals(got)) {
            throw new AssertionError(what + ": got " + got + ", want " + want);
        }
    }

    private static void sameBytes(byte[] got, byte[] want) {
        if (!Arrays.equals(got, want)) {
            throw new AssertionError("content differs: " + got.length + " bytes, want " + want.length);
        }
    }
}
