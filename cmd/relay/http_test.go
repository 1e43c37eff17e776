package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ask waits up to 10 seconds for the server to be there.
func ask(ts *testscript.TestScript, _ bool, args []string) {
	client := &http.Client{Timeout: 5 * time.Second}
	url := "http://127.0.0.1:" + ts.Getenv("PORT") + args[0]
	var response *http.Response
	var err error
	for range 100 {
		if response, err = client.Get(url); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s", response.StatusCode, body)
}
