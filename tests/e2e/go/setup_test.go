// Package e2e drives a running Mossaic with Alibaba's own Go SDKs. tests/e2e/go/test_go.py starts the server, makes a
// bucket a test, runs the compiled binary with the variables below, and looks into the server's log afterwards.
package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/rand"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

const (
	region   = "cn-hangzhou"
	partSize = 102400
	key      = "папка/big file+&.bin"
)

func variable(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Skip(name + " is not set: run through pytest")
	}
	return value
}

// noise gives size bytes that look random and are the same in every run.
func noise(size int) []byte {
	data := make([]byte, size)
	rand.New(rand.NewSource(7)).Read(data)
	return data
}

func sourceFile(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "big.bin")
	check(t, os.WriteFile(file, data, 0o600))
	return file
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func sameBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("content differs: %d bytes, want %d", len(got), len(want))
	}
}

func encoded(t *testing.T, value map[string]string) string {
	t.Helper()
	text, err := json.Marshal(value)
	check(t, err)
	return base64.StdEncoding.EncodeToString(text)
}

func callback(t *testing.T) (string, string) {
	t.Helper()
	fields := map[string]string{
		"callbackUrl":      variable(t, "E2E_CALLBACK"),
		"callbackBody":     "bucket=${bucket}&object=${object}&size=${size}&order=${x:order}",
		"callbackBodyType": "application/x-www-form-urlencoded",
	}
	return encoded(t, fields), encoded(t, map[string]string{"x:order": "42 & more"})
}

// failing is a network that dies once `parts` parts have gone through.
type failing struct {
	left atomic.Int64
}

func failAfter(parts int64) *failing {
	network := &failing{}
	network.left.Store(parts)
	return network
}

func (f *failing) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Query().Has("partNumber") && f.left.Add(-1) < 0 {
		return nil, errors.New("the network is gone")
	}
	return http.DefaultTransport.RoundTrip(request)
}

func fetch(t *testing.T, method, url string, body []byte, headers map[string]string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	check(t, err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	check(t, err)
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	check(t, err)
	return answer.StatusCode, got
}

func variableOrEmpty(name string) string { return os.Getenv(name) }

func content(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	check(t, err)
	return data
}
