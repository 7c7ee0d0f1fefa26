package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"sort"
	"testing"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
)

var bg = context.Background()

func settings(t *testing.T, version oss.SignatureVersionType) *oss.Config {
	t.Helper()
	provider := credentials.NewStaticCredentialsProvider(
		variable(t, "E2E_KEY_ID"), variable(t, "E2E_KEY_SECRET"), variableOrEmpty("E2E_TOKEN"))
	return oss.LoadDefaultConfig().WithRegion(region).WithEndpoint(variable(t, "E2E_ENDPOINT")).
		WithCredentialsProvider(provider).WithSignatureVersion(version)
}

// bothV2 runs a test with either signature version; each has its own bucket.
func bothV2(t *testing.T, run func(t *testing.T, client *oss.Client, bucket string)) {
	for name, version := range map[string]oss.SignatureVersionType{"V1": oss.SignatureVersionV1, "V4": oss.SignatureVersionV4} {
		t.Run(name, func(t *testing.T) {
			run(t, oss.NewClient(settings(t, version)), variable(t, "E2E_BUCKET_"+name))
		})
	}
}

func begin(t *testing.T, client *oss.Client, bucket string) *oss.InitiateMultipartUploadResult {
	t.Helper()
	made, err := client.InitiateMultipartUpload(bg, &oss.InitiateMultipartUploadRequest{Bucket: &bucket, Key: oss.Ptr(key)})
	check(t, err)
	return made
}

func putPart(t *testing.T, client *oss.Client, made *oss.InitiateMultipartUploadResult, number int32, body []byte) oss.UploadPart {
	t.Helper()
	done, err := client.UploadPart(bg, &oss.UploadPartRequest{
		Bucket: made.Bucket, Key: oss.Ptr(key), UploadId: made.UploadId, PartNumber: number, Body: bytes.NewReader(body)})
	check(t, err)
	return oss.UploadPart{PartNumber: number, ETag: done.ETag}
}

func completion(made *oss.InitiateMultipartUploadResult, parts ...oss.UploadPart) *oss.CompleteMultipartUploadRequest {
	return &oss.CompleteMultipartUploadRequest{
		Bucket: made.Bucket, Key: oss.Ptr(key), UploadId: made.UploadId,
		CompleteMultipartUpload: &oss.CompleteMultipartUpload{Parts: parts}}
}

func read(t *testing.T, client *oss.Client, bucket, name string, span *string) []byte {
	t.Helper()
	got, err := client.GetObject(bg, &oss.GetObjectRequest{Bucket: &bucket, Key: &name, Range: span})
	check(t, err)
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	check(t, err)
	return data
}

func put(t *testing.T, client *oss.Client, bucket, name string, data []byte) {
	t.Helper()
	_, err := client.PutObject(bg, &oss.PutObjectRequest{Bucket: &bucket, Key: &name, Body: bytes.NewReader(data)})
	check(t, err)
}

func refusedV2(t *testing.T, err error, status int, code string) *oss.ServiceError {
	t.Helper()
	var refusal *oss.ServiceError
	if !errors.As(err, &refusal) {
		t.Fatalf("want %s, got %v", code, err)
	}
	equal(t, "code", refusal.Code, code)
	equal(t, "status", refusal.StatusCode, status)
	return refusal
}

func TestV2UploaderReportsProgress(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		data := noise(7*partSize + 1234)
		var seen []int64
		request := &oss.PutObjectRequest{Bucket: &bucket, Key: oss.Ptr(key), ProgressFn: func(_, done, _ int64) {
			seen = append(seen, done)
		}}

		_, err := client.NewUploader().UploadFile(bg, request, sourceFile(t, data), func(o *oss.UploaderOptions) {
			o.PartSize, o.ParallelNum = partSize, 4
		})

		check(t, err)
		equal(t, "last progress", seen[len(seen)-1], int64(len(data)))
		equal(t, "progress grows", sort.SliceIsSorted(seen, func(i, j int) bool { return seen[i] < seen[j] }), true)
		sameBytes(t, read(t, client, bucket, key, nil), data)
	})
}

func TestV2ResumeSendsOnlyMissingParts(t *testing.T) {
	data := noise(7*partSize + 1234)
	for name, version := range map[string]oss.SignatureVersionType{"V1": oss.SignatureVersionV1, "V4": oss.SignatureVersionV4} {
		t.Run(name, func(t *testing.T) {
			bucket := variable(t, "E2E_BUCKET_"+name)
			file := sourceFile(t, data)
			options := func(o *oss.UploaderOptions) {
				o.PartSize, o.ParallelNum, o.EnableCheckpoint = partSize, 1, true
				o.CheckpointDir = filepath.Dir(file) + "/"
			}
			request := &oss.PutObjectRequest{Bucket: &bucket, Key: oss.Ptr(key)}
			broken := settings(t, version).WithRetryMaxAttempts(1).WithHttpClient(&http.Client{Transport: failAfter(3)})
			if _, err := oss.NewClient(broken).NewUploader().UploadFile(bg, request, file, options); err == nil {
				t.Fatal("the first try should have failed")
			}

			client := oss.NewClient(settings(t, version))
			_, err := client.NewUploader().UploadFile(bg, request, file, options)

			check(t, err)
			sameBytes(t, read(t, client, bucket, key, nil), data)
		})
	}
}

func TestV2ListsWhileUploading(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		made := begin(t, client, bucket)
		first := putPart(t, client, made, 1, noise(partSize))
		putPart(t, client, made, 3, noise(5))

		parts, err := client.ListParts(bg, &oss.ListPartsRequest{Bucket: &bucket, Key: oss.Ptr(key), UploadId: made.UploadId})
		check(t, err)
		uploads, err := client.ListMultipartUploads(bg, &oss.ListMultipartUploadsRequest{Bucket: &bucket})
		check(t, err)

		equal(t, "parts", len(parts.Parts), 2)
		equal(t, "etag", *parts.Parts[0].ETag, *first.ETag)
		equal(t, "second number", parts.Parts[1].PartNumber, 3)
		equal(t, "uploads", len(uploads.Uploads), 1)
		equal(t, "key", *uploads.Uploads[0].Key, key)
		equal(t, "upload id", *uploads.Uploads[0].UploadId, *made.UploadId)
	})
}

func TestV2AbortEndsTheUpload(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		made := begin(t, client, bucket)
		part := putPart(t, client, made, 1, noise(partSize))
		_, err := client.AbortMultipartUpload(bg, &oss.AbortMultipartUploadRequest{Bucket: &bucket, Key: oss.Ptr(key), UploadId: made.UploadId})
		check(t, err)

		_, err = client.CompleteMultipartUpload(bg, completion(made, part))
		refusedV2(t, err, 404, "NoSuchUpload")
		_, err = client.ListParts(bg, &oss.ListPartsRequest{Bucket: &bucket, Key: oss.Ptr(key), UploadId: made.UploadId})
		refusedV2(t, err, 404, "NoSuchUpload")
	})
}

func TestV2HeadersTagsAndMetaComeBack(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		made, err := client.InitiateMultipartUpload(bg, &oss.InitiateMultipartUploadRequest{
			Bucket: &bucket, Key: oss.Ptr(key), CacheControl: oss.Ptr("no-cache"), ContentDisposition: oss.Ptr("example.txt"),
			ContentEncoding: oss.Ptr("utf-8"), Expires: oss.Ptr("1000"), StorageClass: oss.StorageClassIA,
			Tagging: oss.Ptr("Tag1=1&Tag2=a%20b"), Metadata: map[string]string{"author": "somebody"}})
		check(t, err)
		_, err = client.CompleteMultipartUpload(bg, completion(made, putPart(t, client, made, 1, noise(5))))
		check(t, err)

		head, err := client.HeadObject(bg, &oss.HeadObjectRequest{Bucket: &bucket, Key: oss.Ptr(key)})
		check(t, err)
		tags, err := client.GetObjectTagging(bg, &oss.GetObjectTaggingRequest{Bucket: &bucket, Key: oss.Ptr(key)})
		check(t, err)

		equal(t, "author", head.Metadata["author"], "somebody")
		equal(t, "class", *head.StorageClass, "IA")
		equal(t, "type", *head.ObjectType, "Multipart")
		for name, want := range map[string]string{"Cache-Control": "no-cache", "Content-Disposition": "example.txt",
			"Content-Encoding": "utf-8", "Expires": "1000"} {
			equal(t, name, head.Headers.Get(name), want)
		}
		equal(t, "tags", len(tags.Tags), 2)
		equal(t, "second tag", *tags.Tags[1].Value, "a b")
	})
}

func TestV2ForbidOverwriteAndStorageClassAtComplete(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		made := begin(t, client, bucket)
		part := putPart(t, client, made, 1, noise(partSize))
		put(t, client, bucket, key, []byte("first"))

		guarded := completion(made, part)
		guarded.ForbidOverwrite = oss.Ptr("true")
		_, err := client.CompleteMultipartUpload(bg, guarded)
		refusedV2(t, err, 409, "FileAlreadyExists")

		classed := completion(made, part)
		classed.Headers = map[string]string{"x-oss-storage-class": "IA"}
		_, err = client.CompleteMultipartUpload(bg, classed)
		refusal := refusedV2(t, err, 400, "OperationNotSupported")
		equal(t, "EC", refusal.EC, "0042-00000202")
		sameBytes(t, read(t, client, bucket, key, nil), []byte("first"))
	})
}

func TestV2RangesCopiesAppendSymlinkDelete(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		data := noise(3*partSize + 9)
		_, err := client.NewUploader().UploadFrom(bg, &oss.PutObjectRequest{Bucket: &bucket, Key: oss.Ptr(key)}, bytes.NewReader(data),
			func(o *oss.UploaderOptions) { o.PartSize = partSize })
		check(t, err)
		sameBytes(t, read(t, client, bucket, key, oss.Ptr("bytes=102390-204810")), data[102390:204811])

		_, err = client.NewCopier().Copy(bg, &oss.CopyObjectRequest{Bucket: &bucket, Key: oss.Ptr("copy"), SourceKey: oss.Ptr(key)},
			func(o *oss.CopierOptions) {
				o.PartSize, o.MultipartCopyThreshold, o.DisableShallowCopy = partSize, partSize, true
			})
		check(t, err)
		sameBytes(t, read(t, client, bucket, "copy", nil), data)

		for position, text := range []string{"0123", "4"} {
			_, err = client.AppendObject(bg, &oss.AppendObjectRequest{Bucket: &bucket, Key: oss.Ptr("log"),
				Position: oss.Ptr(int64(position * 4)), Body: bytes.NewReader([]byte(text))})
			check(t, err)
		}
		sameBytes(t, read(t, client, bucket, "log", nil), []byte("01234"))

		_, err = client.PutSymlink(bg, &oss.PutSymlinkRequest{Bucket: &bucket, Key: oss.Ptr("link"), Target: oss.Ptr(url.PathEscape(key))})
		check(t, err)
		sameBytes(t, read(t, client, bucket, "link", nil), data)

		var keys []string
		pages := client.NewListObjectsV2Paginator(&oss.ListObjectsV2Request{Bucket: &bucket, MaxKeys: 1})
		for pages.HasNext() {
			page, err := pages.NextPage(bg)
			check(t, err)
			for _, one := range page.Contents {
				keys = append(keys, *one.Key)
			}
		}
		equal(t, "keys", len(keys), 4)
		objects := make([]oss.DeleteObject, 0, len(keys))
		for _, name := range keys {
			objects = append(objects, oss.DeleteObject{Key: oss.Ptr(name)})
		}
		gone, err := client.DeleteMultipleObjects(bg, &oss.DeleteMultipleObjectsRequest{Bucket: &bucket, Objects: objects})
		check(t, err)
		equal(t, "deleted", len(gone.DeletedObjects), 4)
	})
}

func TestV2Callback(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		made := begin(t, client, bucket)
		request := completion(made, putPart(t, client, made, 1, noise(partSize+1)))
		fields, custom := callback(t)
		request.Callback, request.CallbackVar = &fields, &custom

		done, err := client.CompleteMultipartUpload(bg, request)

		check(t, err)
		equal(t, "answer", done.CallbackResult["Status"], any("OK"))
	})
}

func TestV2FailedCallbackIsAnError(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		fields := encoded(t, map[string]string{"callbackUrl": variable(t, "E2E_CALLBACK") + "/fail", "callbackBody": "a=b"})

		_, err := client.PutObject(bg, &oss.PutObjectRequest{Bucket: &bucket, Key: oss.Ptr(key), Callback: &fields, Body: bytes.NewReader([]byte("kept"))})

		refusedV2(t, err, 203, "CallbackFailed")
		sameBytes(t, read(t, client, bucket, key, nil), []byte("kept"))
	})
}

func TestV2Presigned(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		stored, err := client.Presign(bg, &oss.PutObjectRequest{Bucket: &bucket, Key: oss.Ptr(key), ContentType: oss.Ptr("text/x")})
		check(t, err)
		status, _ := fetch(t, stored.Method, stored.URL, []byte("hello"), stored.SignedHeaders)
		equal(t, "put", status, 200)
		wanted, err := client.Presign(bg, &oss.GetObjectRequest{Bucket: &bucket, Key: oss.Ptr(key)})
		check(t, err)
		status, data := fetch(t, wanted.Method, wanted.URL, nil, wanted.SignedHeaders)
		equal(t, "get", status, 200)
		sameBytes(t, data, []byte("hello"))
	})
}

func TestV2Downloader(t *testing.T) {
	bothV2(t, func(t *testing.T, client *oss.Client, bucket string) {
		data := noise(5*partSize + 3)
		put(t, client, bucket, key, data)
		target := filepath.Join(t.TempDir(), "copy.bin")

		_, err := client.NewDownloader().DownloadFile(bg, &oss.GetObjectRequest{Bucket: &bucket, Key: oss.Ptr(key)}, target,
			func(o *oss.DownloaderOptions) { o.PartSize, o.ParallelNum = partSize, 3 })

		check(t, err)
		sameBytes(t, content(t, target), data)
	})
}
