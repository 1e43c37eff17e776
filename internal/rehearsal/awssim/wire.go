package awssim

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// apiError is an error as a service answers it. Any other error that an action returns is the simulation's own fault.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// Refuse returns the error of a request that cannot be met: the error's code, as the service's API reference names it, and a message.
// The client gets status 400.
func Refuse(code, format string, args ...any) error { return refuse(code, format, args...) }

func refuse(code, format string, args ...any) error {
	return &apiError{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

func asAPIError(err error) *apiError {
	var api *apiError
	if errors.As(err, &api) {
		return api
	}
	return &apiError{http.StatusInternalServerError, "InternalFailure", err.Error()}
}

// untaught is the answer to an action that is not simulated. Its status is one that the SDKs do not retry.
func untaught(code, service, action string) *apiError {
	return &apiError{http.StatusNotImplemented, code, fmt.Sprintf("the rehearsal was not taught the action %q of %q", action, service)}
}

const requestID = "00000000-0000-4000-8000-000000000000"

// JSONAction carries out an action with the JSON document of its request and returns that of the response.
type JSONAction func(r *http.Request, body []byte) (any, error)

// Taught makes a JSONAction of a function that takes the caller's ARN and the decoded request. Fields that the type does not name are
// refused: to ignore one would be to answer another question.
func Taught[In any](act func(caller string, in In) (any, error)) JSONAction {
	return func(r *http.Request, body []byte) (any, error) {
		var in In
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			return nil, refuse("SerializationException", "the rehearsal was not taught this of %s: %s", r.Header.Get("X-Amz-Target"), err)
		}
		return act(Caller(r), in)
	}
}

// decoding makes a JSONAction of a function that takes the decoded request.
func decoding[In any](act func(In) (any, error)) JSONAction {
	return func(_ *http.Request, body []byte) (any, error) {
		var in In
		if len(body) > 0 {
			if err := json.Unmarshal(body, &in); err != nil {
				return nil, refuse("SerializationException", "request is not the expected JSON: %s", err)
			}
		}
		return act(in)
	}
}

// JSONService speaks AWS JSON 1.1 for a service by its signing name: the action is in the header X-Amz-Target. An action that is not
// among those given is an error that names it. https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
func JSONService(service string, actions map[string]JSONAction) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Some services' own names have dots.
		target := r.Header.Get("X-Amz-Target")
		name := target[strings.LastIndex(target, ".")+1:]
		action, ok := actions[name]
		if !ok {
			writeJSONError(w, untaught("NotImplemented", service, name))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			writeJSONError(w, err)
			return
		}
		answerJSON(w, r, action, body)
	})
}

// restService speaks REST-JSON; its keys are method and path. What the service binds to the query instead of the body
// reaches the action as one JSON document all the same.
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
func restService(service string, actions map[string]JSONAction) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Method + " " + r.URL.Path
		action, ok := actions[name]
		if !ok {
			writeJSONError(w, untaught("NotImplemented", service, name))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Method == http.MethodGet {
			query := map[string]string{}
			for key := range r.URL.Query() {
				query[key] = r.URL.Query().Get(key)
			}
			body, err = json.Marshal(query)
		}
		if err != nil {
			writeJSONError(w, err)
			return
		}
		answerJSON(w, r, action, body)
	})
}

func answerJSON(w http.ResponseWriter, r *http.Request, action JSONAction, body []byte) {
	out, err := action(r, body)
	if err != nil {
		writeJSONError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	json.NewEncoder(w).Encode(out) // the client is gone
}

func writeJSONError(w http.ResponseWriter, err error) {
	api := asAPIError(err)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-ErrorType", api.code)
	w.WriteHeader(api.status)
	json.NewEncoder(w).Encode(map[string]string{"__type": api.code, "message": api.message}) // as above
}

// queryAction carries out an action with the form of its request and returns the XML of its result.
type queryAction func(form url.Values) (any, error)

// queryService speaks the query protocol: the action is a field of the form, the answer is XML.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
func queryService(service, namespace string, actions map[string]queryAction) http.Handler {
	type metadata struct{ RequestId string }
	return formService(service, actions, func(enc *xml.Encoder, name string, out any) error {
		response := xml.StartElement{
			Name: xml.Name{Local: name + "Response"},
			Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}},
		}
		return errors.Join(
			enc.EncodeToken(response),
			enc.EncodeElement(out, xml.StartElement{Name: xml.Name{Local: name + "Result"}}),
			enc.EncodeElement(metadata{requestID}, xml.StartElement{Name: xml.Name{Local: "ResponseMetadata"}}),
			enc.EncodeToken(response.End()),
		)
	}, writeQueryError)
}

// ec2Service speaks EC2's dialect of the query protocol, in which the result is the response itself.
// https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
func ec2Service(actions map[string]queryAction) http.Handler {
	return formService("ec2", actions, func(enc *xml.Encoder, name string, out any) error {
		return enc.EncodeElement(out, xml.StartElement{
			Name: xml.Name{Local: name + "Response"},
			Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: "http://ec2.amazonaws.com/doc/2016-11-15/"}},
		})
	}, writeEC2Error)
}

func formService(service string, actions map[string]queryAction, answer func(*xml.Encoder, string, any) error,
	fail func(http.ResponseWriter, error),
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			fail(w, refuse("MalformedQueryString", "%s", err))
			return
		}
		name := r.Form.Get("Action")
		action, ok := actions[name]
		if !ok {
			fail(w, untaught("InvalidAction", service, name))
			return
		}
		out, err := action(r.Form)
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		enc := xml.NewEncoder(w)
		if err := answer(enc, name, out); err == nil {
			enc.Flush() // the client is gone
		}
	})
}

type xmlError struct{ Type, Code, Message string }

func writeQueryError(w http.ResponseWriter, err error) {
	api := asAPIError(err)
	writeXML(w, api.status, struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     xmlError
		RequestId string
	}{Error: xmlError{"Sender", api.code, api.message}, RequestId: requestID})
}

func writeEC2Error(w http.ResponseWriter, err error) {
	api := asAPIError(err)
	writeXML(w, api.status, struct {
		XMLName   xml.Name `xml:"Response"`
		Error     xmlError `xml:"Errors>Error"`
		RequestID string
	}{Error: xmlError{"Sender", api.code, api.message}, RequestID: requestID})
}

func writeS3Error(w http.ResponseWriter, err error) {
	api := asAPIError(err)
	writeXML(w, api.status, struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
		RequestId     string
	}{Code: api.code, Message: api.message, RequestId: requestID})
}

func writeXML(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	xml.NewEncoder(w).Encode(document) // the client is gone
}

// serveUnknown answers a request for a service that is not simulated.
func serveUnknown(w http.ResponseWriter, r *http.Request, service string) {
	_, action, target := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case target:
		serveError(w, r, untaught("NotImplemented", service, action))
	case isForm(r):
		serveError(w, r, untaught("InvalidAction", service, r.FormValue("Action")))
	default:
		serveError(w, r, untaught("NotImplemented", service, r.Method+" "+r.URL.Path))
	}
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// Fail answers a request with an error in the protocol that the request speaks: the HTTP status, the error's code as the service's API
// reference names it, and a message.
func Fail(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	serveError(w, r, &apiError{status, code, message})
}

// serveError answers with an error in the protocol that the request speaks.
func serveError(w http.ResponseWriter, r *http.Request, err error) {
	switch _, service := credential(r); {
	case service == "s3":
		writeS3Error(w, err)
	case service == "ec2":
		writeEC2Error(w, err)
	case isForm(r):
		writeQueryError(w, err)
	default:
		writeJSONError(w, err)
	}
}

// list returns the values of a list in a form: prefix.1, prefix.2 and so on.
func list(form url.Values, prefix string) []string {
	var out []string
	for i := 1; form.Has(prefix + "." + strconv.Itoa(i)); i++ {
		out = append(out, form.Get(prefix+"."+strconv.Itoa(i)))
	}
	return out
}

// taught refuses a form that carries a field besides those named, as ignoring it would be to answer another question. A
// name stands also for the fields below it ("Filter" for "Filter.1.Name").
func taught(form url.Values, names ...string) error {
	known := map[string]bool{"Action": true, "Version": true, "MaxResults": true, "MaxRecords": true, "PageSize": true}
	for _, name := range names {
		known[name] = true
	}
	for field := range form {
		top, _, _ := strings.Cut(field, ".")
		if !known[top] && !strings.HasPrefix(field, "X-Amz-") {
			return refuse("InvalidParameterValue", "the rehearsal was not taught the parameter %q of %s", field, form.Get("Action"))
		}
	}
	return nil
}

// members is a list in the query protocol's XML, items one in EC2's.
type (
	members[T any] struct {
		Members []T `xml:"member"`
	}
	items[T any] struct {
		Items []T `xml:"item"`
	}
)
