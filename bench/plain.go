package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
)

// servePlain answers every request with one object of 1 KB by net/http alone,
// with the fields that Rescind sends for it, until the context ends. It is what
// a request that is handed over to net/http is compared with.
func servePlain(ctx context.Context, address string) error {
	obj := object{set: "hot", size: 1024}
	body := obj.appendBody(nil, 1)
	fields := [][2]string{
		{"Age", "1"}, {"Cache-Control", "public, max-age=86400"}, {"Cache-Status", "bench; hit; ttl=86399"},
		{"Content-Length", strconv.Itoa(len(body))}, {"Content-Type", "text/html; charset=utf-8"},
		{"Etag", `"0-5f3c"`}, {"Last-Modified", "Mon, 02 Nov 2026 08:00:00 GMT"}, {"Server", "origin"},
		{"Via", "1.1 bench"}, {"X-Cache", "HIT"}, {"X-Cache-Hits", "1"}, {"X-Served-By", "cache-bench-bench"},
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for _, f := range fields {
			h.Set(f[0], f[1])
		}
		w.Write(body) // what a client that is gone does not take is nobody's loss
	})}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
