package faults

import (
	"net/http"
	"net/url"
	"strings"
)

// AWS names requests of AWS clients by service and operation, "s3.PutObject". signing is the service's signing name.
func AWS(r *http.Request, body []byte, signing string) (name string, read bool) {
	operation := s3Operation(r)
	if signing != "s3" {
		operation = awsOperation(r, body)
		for _, verb := range []string{"Get", "Describe", "List", "BatchGet"} {
			read = read || strings.HasPrefix(operation, verb)
		}
		return signing + "." + operation, read
	}
	return signing + "." + operation, r.Method == http.MethodGet || r.Method == http.MethodHead
}

// awsOperation finds the operation where the protocol has it: in a header (JSON), in the form (query), in the path (REST-JSON).
func awsOperation(r *http.Request, body []byte) string {
	if _, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return operation
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Has("Action") {
		return form.Get("Action")
	}
	return strings.Trim(r.URL.Path, "/")
}

// s3Operation tells S3's operations apart by method and query (Amazon S3 API Reference).
func s3Operation(r *http.Request) string {
	query := r.URL.Query()
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		return "CreateMultipartUpload"
	case r.Method == http.MethodPost && query.Has("uploadId"):
		return "CompleteMultipartUpload"
	case r.Method == http.MethodPut && query.Has("uploadId"):
		return "UploadPart"
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		return "AbortMultipartUpload"
	case r.Method == http.MethodGet && key == "":
		return "ListObjects"
	}
	return map[string]string{
		http.MethodGet: "Get", http.MethodHead: "Head", http.MethodPut: "Put", http.MethodDelete: "Delete", http.MethodPost: "Post",
	}[r.Method] + "Object"
}

// GitHub names requests of GitHub's REST API by method and resource, "github.PATCH git/refs".
func GitHub(r *http.Request, _ []byte) (name string, read bool) {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/v3"), "/"), "/")
	if parts[0] == "repos" && len(parts) == 3 {
		parts = parts[:1]
	} else if parts[0] == "repos" && len(parts) > 3 {
		parts = parts[3:]
		if parts[0] != "git" {
			parts = parts[:1]
		}
	}
	return "github." + r.Method + " " + strings.Join(parts[:min(2, len(parts))], "/"), r.Method == http.MethodGet
}
