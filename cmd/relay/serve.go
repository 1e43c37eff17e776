package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/install"
	"github.com/tekpossible/ha-devops/internal/relayfile"
)

func newServeCommand(d *deps) *cobra.Command {
	var releaseFile, product string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer for an environment whose software has no start command yet",
		Long: "serve answers on $PORT: /healthz with 200, /version with the artifact tag, /release with release.json. $HOST limits it to one\n" +
			"address.\n\n" + exits("it was interrupted"),
		Example: "  PORT=8080 relay serve --product shop",
		Args:    cobra.NoArgs,
		RunE: run(func(ctx context.Context) error {
			if releaseFile == "" {
				if !manifest.IsName(product) {
					return &inputError{errors.New("--release or --product: give one of them; --product takes lower case letters, digits and hyphens")}
				}
				releaseFile = install.PathsOf(d.getenv("DESTDIR"), product).Release
			}
			return serve(ctx, d, releaseFile)
		}),
	}
	cmd.Flags().StringVar(&releaseFile, "release", "", "the file release.json (default $DESTDIR/etc/PRODUCT/release.json)")
	cmd.Flags().StringVar(&product, "product", "", "the product, which says where release.json is")
	return cmd
}

func serve(ctx context.Context, d *deps, releaseFile string) error {
	port := d.getenv("PORT")
	if port == "" {
		port = strconv.Itoa(relayfile.Default().Port)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return &inputError{fmt.Errorf("PORT: %q: must be a number from 1 to 65535", port)}
	}
	record, err := install.ReadRecord(releaseFile)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(d.getenv("HOST"), port))
	if err != nil {
		return fmt.Errorf("serving: %w", err)
	}
	server := &http.Server{
		Handler: answers(record), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	d.ui.progress("serving release %s on %s", record.ArtifactTag, listener.Addr())
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	select {
	case err := <-stopped:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	// A balancer that has just looked may still send requests; they get their answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}

func answers(record install.Record) http.Handler {
	mux := http.NewServeMux()
	text := func(content string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, content)
		}
	}
	mux.HandleFunc("GET /healthz", text("ok\n"))
	mux.HandleFunc("GET /version", text(record.ArtifactTag))
	mux.HandleFunc("GET /release", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(record)
	})
	return mux
}
