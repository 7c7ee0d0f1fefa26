package e2e

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	ossv1 "github.com/aliyun/aliyun-oss-go-sdk/oss"
)

func openV1(t *testing.T, version ossv1.AuthVersionType, name string, options ...ossv1.ClientOption) *ossv1.Bucket {
	t.Helper()
	all := append([]ossv1.ClientOption{ossv1.AuthVersion(version), ossv1.Region(region)}, options...)
	if token := variableOrEmpty("E2E_TOKEN"); token != "" {
		all = append(all, ossv1.SecurityToken(token))
	}
	client, err := ossv1.New(variable(t, "E2E_ENDPOINT"), variable(t, "E2E_KEY_ID"), variable(t, "E2E_KEY_SECRET"), all...)
	check(t, err)
	bucket, err := client.Bucket(variable(t, "E2E_BUCKET_"+name))
	check(t, err)
	return bucket
}

func bothV1(t *testing.T, run func(t *testing.T, bucket *ossv1.Bucket)) {
	for name, version := range map[string]ossv1.AuthVersionType{"V1": ossv1.AuthV1, "V4": ossv1.AuthV4} {
		t.Run(name, func(t *testing.T) { run(t, openV1(t, version, name)) })
	}
}

func readV1(t *testing.T, bucket *ossv1.Bucket, options ...ossv1.Option) []byte {
	t.Helper()
	body, err := bucket.GetObject(key, options...)
	check(t, err)
	defer body.Close()
	data, err := io.ReadAll(body)
	check(t, err)
	return data
}

func refusedV1(t *testing.T, err error, status int, code string) {
	t.Helper()
	var refusal ossv1.ServiceError
	if !errors.As(err, &refusal) {
		t.Fatalf("want %s, got %v", code, err)
	}
	equal(t, "code", refusal.Code, code)
	equal(t, "status", refusal.StatusCode, status)
}

func TestV1ResumeSendsOnlyMissingParts(t *testing.T) {
	data := noise(7*partSize + 1234)
	for name, version := range map[string]ossv1.AuthVersionType{"V1": ossv1.AuthV1, "V4": ossv1.AuthV4} {
		t.Run(name, func(t *testing.T) {
			file := sourceFile(t, data)
			options := []ossv1.Option{ossv1.Routines(1), ossv1.Checkpoint(true, filepath.Join(filepath.Dir(file), "cp"))}
			broken := openV1(t, version, name, ossv1.HTTPClient(&http.Client{Transport: failAfter(3)}))
			if err := broken.UploadFile(key, file, partSize, options...); err == nil {
				t.Fatal("the first try should have failed")
			}

			bucket := openV1(t, version, name)
			check(t, bucket.UploadFile(key, file, partSize, options...))

			sameBytes(t, readV1(t, bucket), data)
			sameBytes(t, readV1(t, bucket, ossv1.Range(partSize-2, 2*partSize+2)), data[partSize-2:2*partSize+3])
		})
	}
}

func TestV1ListsAndAborts(t *testing.T) {
	bothV1(t, func(t *testing.T, bucket *ossv1.Bucket) {
		made, err := bucket.InitiateMultipartUpload(key, ossv1.Meta("author", "somebody"))
		check(t, err)
		part, err := bucket.UploadPart(made, bytes.NewReader(noise(partSize)), partSize, 1)
		check(t, err)

		parts, err := bucket.ListUploadedParts(made)
		check(t, err)
		uploads, err := bucket.ListMultipartUploads()
		check(t, err)
		equal(t, "parts", len(parts.UploadedParts), 1)
		equal(t, "uploads", len(uploads.Uploads), 1)
		equal(t, "key", uploads.Uploads[0].Key, key)

		check(t, bucket.AbortMultipartUpload(made))
		_, err = bucket.CompleteMultipartUpload(made, []ossv1.UploadPart{part})
		refusedV1(t, err, 404, "NoSuchUpload")
	})
}

func TestV1CallbackMetaAndTags(t *testing.T) {
	bothV1(t, func(t *testing.T, bucket *ossv1.Bucket) {
		tags := ossv1.Tagging{Tags: []ossv1.Tag{{Key: "Tag1", Value: "1"}, {Key: "Tag2", Value: "a b"}}}
		made, err := bucket.InitiateMultipartUpload(key, ossv1.Meta("author", "somebody"), ossv1.CacheControl("no-cache"), ossv1.SetTagging(tags))
		check(t, err)
		part, err := bucket.UploadPart(made, bytes.NewReader(noise(9)), 9, 1)
		check(t, err)
		fields, custom := callback(t)
		var answer []byte

		_, err = bucket.CompleteMultipartUpload(made, []ossv1.UploadPart{part},
			ossv1.Callback(fields), ossv1.CallbackVar(custom), ossv1.CallbackResult(&answer))

		check(t, err)
		equal(t, "answer", string(answer), `{"Status":"OK"}`)
		head, err := bucket.GetObjectDetailedMeta(key)
		check(t, err)
		equal(t, "author", head.Get("x-oss-meta-author"), "somebody")
		equal(t, "cache", head.Get("Cache-Control"), "no-cache")
		back, err := bucket.GetObjectTagging(key)
		check(t, err)
		equal(t, "tags", len(back.Tags), 2)
	})
}

func TestV1ForbidOverwriteAndPresigned(t *testing.T) {
	bothV1(t, func(t *testing.T, bucket *ossv1.Bucket) {
		check(t, bucket.PutObject(key, bytes.NewReader([]byte("first"))))
		refusedV1(t, bucket.PutObject(key, bytes.NewReader([]byte("second")), ossv1.ForbidOverWrite(true)), 409, "FileAlreadyExists")

		url, err := bucket.SignURL(key, ossv1.HTTPGet, 60)
		check(t, err)
		status, data := fetch(t, "GET", url, nil, nil)
		equal(t, "status", status, 200)
		sameBytes(t, data, []byte("first"))
	})
}

func TestV1CopiesAndAppends(t *testing.T) {
	bothV1(t, func(t *testing.T, bucket *ossv1.Bucket) {
		data := noise(3 * partSize)
		check(t, bucket.PutObject("the source+1", bytes.NewReader(data)))
		_, err := bucket.CopyObject("the source+1", "whole")
		check(t, err)
		check(t, bucket.CopyFile(bucket.BucketName, "the source+1", "copy", partSize))

		var position int64
		for _, text := range []string{"0123", "4"} {
			position, err = bucket.AppendObject("log", bytes.NewReader([]byte(text)), position)
			check(t, err)
		}

		equal(t, "position", position, int64(5))
		for name, want := range map[string][]byte{"whole": data, "copy": data, "log": []byte("01234")} {
			target := filepath.Join(t.TempDir(), name)
			check(t, bucket.DownloadFile(name, target, partSize))
			sameBytes(t, content(t, target), want)
		}
	})
}
