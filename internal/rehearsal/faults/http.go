package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Service is how a server's requests are named and refused.
type Service struct {
	// Operation names a request and says whether it is a read, which has no effect.
	Operation func(r *http.Request, body []byte) (name string, read bool)
	// Fail answers that the server has trouble, Throttle that there were too many requests, both in the server's own form.
	Fail, Throttle http.HandlerFunc
}

// Before puts the injector before a server.
func (i *Injector) Before(s Service, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		by, known := i.options.Caller(r.UserAgent())
		if !known {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // the caller is gone
		}
		operation, read := s.Operation(r, body)
		var request []byte
		if read {
			request = fmt.Appendf(nil, "%s %s\n%s", r.Method, r.URL, body)
		}
		kind := i.note(by, operation, request)
		do := func(w http.ResponseWriter) {
			// A build that is killed has gone, and its request goes on all the same.
			again := r.Clone(context.WithoutCancel(r.Context()))
			again.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, again)
		}
		switch kind {
		case ErrorBefore:
			s.Fail(w, r)
		case Throttle:
			s.Throttle(w, r)
		default:
			i.strike(kind, by, w, do)
		}
	})
}

// strike carries a request out, with what is to be done to it.
func (i *Injector) strike(kind Kind, by Caller, w http.ResponseWriter, do func(http.ResponseWriter)) {
	switch kind {
	case KillBefore:
		i.options.Kill(by.Build)
		panic(http.ErrAbortHandler)
	case KillAfter:
		do(&lost{})
		i.options.Kill(by.Build)
		panic(http.ErrAbortHandler)
	case ErrorAfter:
		do(&lost{})
		panic(http.ErrAbortHandler)
	case Delay:
		time.Sleep(Late)
	case Duplicate:
		do(&lost{})
	}
	do(w)
}

// lost is an answer that never arrives.
type lost struct{ header http.Header }

func (l *lost) Header() http.Header {
	if l.header == nil {
		l.header = http.Header{}
	}
	return l.header
}
func (l *lost) WriteHeader(int)             {}
func (l *lost) Write(p []byte) (int, error) { return len(p), nil }
