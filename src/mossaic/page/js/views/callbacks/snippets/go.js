import { quoted } from "./literals.js";

/** @param {import("../record.js").Evidence} call */
export const go = (call) => `// verify_callback.go: run with "go run verify_callback.go"; standard library only.
package main

import (
	"crypto"
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// The key is taken from here only: whoever calls you can name any URL. Keep the slash at the end.
const trusted = ${quoted(call.trusted)}

// publicKey fetches the key; keep what it returns for a while in your service.
func publicKey(keyURL string) (*rsa.PublicKey, error) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(keyURL)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM at " + keyURL)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("no RSA key at " + keyURL)
	}
	return key, nil
}

// isGenuine takes the target as it stands in the request line (r.RequestURI), the headers and the raw body.
func isGenuine(target string, headers http.Header, body []byte) (bool, error) {
	keyURL, err := base64.StdEncoding.DecodeString(headers.Get("x-oss-pub-key-url"))
	if err != nil || !strings.HasPrefix(string(keyURL), trusted) {
		return false, err
	}
	signature, err := base64.StdEncoding.DecodeString(headers.Get("Authorization"))
	if err != nil {
		return false, err
	}
	path, query, asked := strings.Cut(target, "?")
	path, err = url.PathUnescape(path)
	if err != nil {
		return false, err
	}
	if asked {
		query = "?" + query
	}
	key, err := publicKey(string(keyURL))
	if err != nil {
		return false, err
	}
	digest := md5.Sum(append([]byte(path+query+"\\n"), body...))
	return rsa.VerifyPKCS1v15(key, crypto.MD5, digest[:], signature) == nil, nil
}

// The callback of ${call.at}.
func main() {
	target := ${quoted(call.target)}
	headers := http.Header{}
	headers.Set("x-oss-pub-key-url", ${quoted(call.keyUrlHeader)})
	headers.Set("Authorization", ${quoted(call.signature)})
	body := []byte(${quoted(call.body)})

	genuine, err := isGenuine(target, headers, body)
	if err != nil {
		fmt.Println(err)
	}
	if !genuine {
		fmt.Println("NOT genuine")
		os.Exit(1)
	}
	fmt.Println("genuine")
}
`;
