package awssim

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// credential takes the credential of a signed request apart: the access key ID and the service's signing name, both "" when it is not
// signed. It is <key>/<date>/<region>/<service>/aws4_request, in the header or in the query of a presigned URL:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html
func credential(r *http.Request) (key, service string) {
	_, text, ok := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !ok {
		text = r.URL.Query().Get("X-Amz-Credential")
	}
	text, _, _ = strings.Cut(text, ",")
	scope := strings.Split(text, "/")
	if len(scope) < 5 {
		return "", ""
	}
	return strings.Join(scope[:len(scope)-4], "/"), scope[len(scope)-2]
}

// identify says who calls, and whether the account knows them.
func (a *Account) identify(r *http.Request) (arn string, known bool) {
	key, _ := credential(r)
	if a.opts.Identities == nil || key == "" { // an unsigned request is for no service, and is answered so
		return "arn:aws:sts::" + a.opts.AccountID + ":assumed-role/rehearsal/rehearsal", true
	}
	arn, known = a.opts.Identities[key]
	return arn, known
}

// stranger is the answer to credentials that the account does not know, in the service's own word for it.
func stranger(service string) *apiError {
	code := "UnrecognizedClientException"
	switch service {
	case "s3":
		code = "InvalidAccessKeyId"
	case "ec2":
		code = "AuthFailure"
	case "sts", "autoscaling", "elasticloadbalancing":
		code = "InvalidClientTokenId"
	}
	return &apiError{http.StatusForbidden, code, "the account does not know this access key ID"}
}

type callerKey struct{}

func withCaller(r *http.Request, arn string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, arn))
}

// Caller returns the ARN of who sent a request that an Account passed on to a handler, "" for any other request.
func Caller(r *http.Request) string {
	arn, _ := r.Context().Value(callerKey{}).(string)
	return arn
}

// stsService answers who calls.
func (a *Account) stsService() http.Handler {
	type identity struct{ Arn, UserId, Account string }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arn := Caller(r)
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html: a role's ID and the session's name
		session := arn[strings.LastIndex(arn, "/")+1:]
		queryService("sts", "https://sts.amazonaws.com/doc/2011-06-15/", map[string]queryAction{
			"GetCallerIdentity": func(url.Values) (any, error) {
				return identity{Arn: arn, UserId: "AROAREHEARSAL:" + session, Account: a.opts.AccountID}, nil
			},
		}).ServeHTTP(w, r)
	})
}
