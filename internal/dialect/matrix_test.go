package dialect_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/cloudflare"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/dialect/fastly"
	"github.com/rescind-edge/rescind/internal/dialect/invalidation"
	"github.com/rescind-edge/rescind/internal/dialect/native"
	"github.com/rescind-edge/rescind/internal/dialect/stackpath"
	"github.com/rescind-edge/rescind/internal/dialect/varnish"
	"github.com/rescind-edge/rescind/internal/purge"
)

// What is purged, in the words of the receipt.
const (
	byURL  = "url //www.example.com/a/b"
	https  = "url https://www.example.com/a/b"
	key    = "key k"
	path   = "path www.example.com/a/"
	bare   = "path www.example.com/a"
	host   = "host www.example.com"
	all    = "all *"
	group  = "key group https://www.example.com k"
	header = "header X-Product: shoes/* under path www.example.com/a/"
	ban    = `ban obj.http.Content-Type ~ ^image/ under path www.example.com/a/`
)

// TestMatrix has what each dialect can say, by selector and mode. Whatever says
// the same must end in the same call of control: one receipt, with the same
// selectors and effect. What a dialect has no words for is left out.
func TestMatrix(t *testing.T) {
	inFastly := func(n *dialecttest.Node) http.Handler { return fastly.API(n.Door()) }
	inNative := func(n *dialecttest.Node) http.Handler {
		return native.New(native.Config{Door: n.Door(), Status: func() api.Status { return api.Status{} }})
	}
	inStackPath := func(n *dialecttest.Node) http.Handler { return stackpath.New(stackpath.Config{Door: n.Door()}) }
	inCloudflare := func(n *dialecttest.Node) http.Handler { return cloudflare.New(n.Door()) }
	inDraft := func(n *dialecttest.Node) http.Handler { return invalidation.New(n.Door(), nil) }
	inVarnish := func(n *dialecttest.Node) http.Handler { return varnish.New(n.Door(), control.DataListener) }
	const soft, hard = true, false
	for _, tc := range []struct {
		dialect string
		handler func(*dialecttest.Node) http.Handler
		head    string
		body    string
		want    string
		soft    bool
	}{
		{"native", inNative, "POST /v1/purges", `{"service":"shop","urls":["//www.example.com/a/b"]}`, byURL, hard},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","urls":["//www.example.com/a/b"],"mode":"soft"}`, byURL, soft},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","keys":["k"]}`, key, hard},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","keys":["k"],"mode":"soft"}`, key, soft},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","paths":["//www.example.com/a/"]}`, path, hard},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","paths":["//www.example.com/a/"],"mode":"soft"}`, path, soft},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","hosts":["www.example.com"]}`, host, hard},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","all":true}`, all, hard},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","all":true,"mode":"soft"}`, all, soft},

		{"native", inNative, "POST /v1/purges", `{"service":"shop","headers":[{"name":"X-Product","value":"shoes/*"}],"under":"www.example.com/a/"}`, header, hard},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","headers":[{"name":"X-Product","value":"shoes/*"}],"under":"www.example.com/a/","mode":"soft"}`, header, soft},
		{"native", inNative, "POST /v1/purges", `{"service":"shop","bans":["obj.http.Content-Type ~ ^image/"],"under":"www.example.com/a/"}`, ban, hard},

		{"fastly", inFastly, "POST /purge/www.example.com/a/b", "", byURL, hard},
		{"fastly", inFastly, "PURGE /a/b", "", byURL, hard},
		{"fastly", inFastly, "PURGE /a/b HTTP/1.1\nFastly-Soft-Purge: 1", "", byURL, soft},
		{"fastly", inFastly, "POST /service/shop/purge/k", "", key, hard},
		{"fastly", inFastly, "POST /service/shop/purge HTTP/1.1\nFastly-Soft-Purge: 1", `{"surrogate_keys":["k"]}`, key, soft},
		{"fastly", inFastly, "POST /service/shop/purge_all", "", all, hard},
		{"fastly", inFastly, "POST /service/shop/purge_all HTTP/1.1\nFastly-Soft-Purge: 1", "", all, soft},

		{"varnish", inVarnish, "PURGE /a/b", "", byURL, hard},
		{"varnish", inVarnish, "BAN / HTTP/1.1\nX-Host: ^www\\.example\\.com$\nX-Url: ^/a/b$", "", byURL, hard},
		{"varnish", inVarnish, "BAN / HTTP/1.1\nX-Cache-Tags: (^|,)(k)(,|$)", "", key, hard},
		{"varnish", inVarnish, "PURGE / HTTP/1.1\nX-Magento-Tags-Pattern: ((^|,)k(,|$))", "", key, hard},
		{"varnish", inVarnish, "PURGE / HTTP/1.1\nxkey: k", "", key, hard},
		{"varnish", inVarnish, "PURGEKEYS / HTTP/1.1\nxkey-purge: k", "", key, hard},
		{"varnish", inVarnish, "PURGEKEYS / HTTP/1.1\nxkey-softpurge: k", "", key, soft},
		{"varnish", inVarnish, "PURGETAGS / HTTP/1.1\nX-Cache-Tags: k", "", key, hard},
		{"varnish", inVarnish, "PURGE /a/.* HTTP/1.1\nX-Purge-Method: regex", "", path, hard},
		{"varnish", inVarnish, "BAN / HTTP/1.1\nX-Host: ^(www\\.example\\.com)$\nX-Url: ^/a/.*", "", path, hard},
		{"varnish", inVarnish, "BAN / HTTP/1.1\nX-Host: ^(www\\.example\\.com)$\nX-Url: .*", "", host, hard},
		{"varnish", inVarnish, "PURGE / HTTP/1.1\nClear-Cache: true", "", all, hard},
		{"varnish", inVarnish, "BAN / HTTP/1.1\nX-Host: .*\nX-Url: .*\nX-Content-Type: .*", "", all, hard},
		{"varnish", inVarnish, "BAN / HTTP/1.1\nX-Host: ^www\\.example\\.com$\nX-Url: ^/a/\nX-Content-Type: ^image/", "", ban, hard},

		{"stackpath", inStackPath, "POST /cdn/v1/stacks/shop/purge", `{"items":[{"url":"//www.example.com/a/b"}]}`, byURL, hard},
		{"stackpath", inStackPath, "POST /cdn/v1/stacks/shop/purge", `{"items":[{"url":"//www.example.com/a/b","invalidateOnly":true}]}`, byURL, soft},
		{"stackpath", inStackPath, "POST /cdn/v1/stacks/shop/purge", `{"items":[{"url":"https://www.example.com/a/b"}]}`, https, hard},
		{"stackpath", inStackPath, "POST /cdn/v1/stacks/shop/purge", `{"items":[{"url":"//www.example.com/a/","recursive":true}]}`, path, hard},
		{"stackpath", inStackPath, "POST /cdn/v1/stacks/shop/purge", `{"items":[{"url":"//www.example.com/a/","recursive":true,"invalidateOnly":true}]}`, path, soft},
		{"stackpath", inStackPath, "POST /cdn/v1/stacks/shop/purge", `{"items":[{"url":"//www.example.com/","recursive":true}]}`, host, hard},
		{"stackpath", inStackPath, "POST /cdn/v1/stacks/shop/purge", `{"items":[{"url":"//www.example.com/a/","recursive":true,"purgeSelector":[{"selectorName":"X-Product","selectorValue":"shoes/*"}]}]}`, header, hard},
		{"stackpath", inStackPath, "POST /cdn/v1/stacks/shop/purge", `{"items":[{"url":"//www.example.com/a/","recursive":true,"invalidateOnly":true,"purgeSelector":{"selectorName":"X-Product","selectorValue":"shoes/*"}}]}`, header, soft},

		{"cloudflare", inCloudflare, "POST /client/v4/zones/shop/purge_cache", `{"files":["https://www.example.com/a/b"]}`, byURL, hard},
		{"cloudflare", inCloudflare, "DELETE /client/v4/zones/shop/purge_cache", `{"tags":["k"]}`, key, hard},
		{"cloudflare", inCloudflare, "POST /client/v4/zones/shop/purge_cache", `{"prefixes":["www.example.com/a/"]}`, path, hard},
		{"cloudflare", inCloudflare, "POST /client/v4/zones/shop/purge_cache", `{"hosts":["www.example.com"]}`, host, hard},
		{"cloudflare", inCloudflare, "POST /client/v4/zones/shop/purge_cache", `{"purge_everything":true}`, all, hard},

		{"invalidation", inDraft, "POST /invalidation", `{"type":"uri","selectors":["https://www.example.com/a/b"]}`, https, soft},
		{"invalidation", inDraft, "POST /invalidation", `{"type":"uri","selectors":["//www.example.com/a/b"],"purge":true}`, byURL, hard},
		{"invalidation", inDraft, "POST /invalidation", `{"type":"uri-prefix","selectors":["https://www.example.com/a"]}`, bare, soft},
		{"invalidation", inDraft, "POST /invalidation", `{"type":"origin","selectors":["https://www.example.com"],"purge":true}`, host, hard},
		{"invalidation", inDraft, "POST /invalidation", `{"type":"group","selectors":["https://www.example.com"],"groups":["k"]}`, group, soft},
	} {
		t.Run(tc.dialect+" "+tc.head, func(t *testing.T) {
			node := dialecttest.New(t)
			line, fields, more := strings.Cut(tc.head, " HTTP/1.1\n")
			raw := line + " HTTP/1.1\nHost: www.example.com\n"
			if more {
				raw += fields + "\n"
			}
			got := dialecttest.Send(t, tc.handler(node), fmt.Sprintf("%sContent-Type: application/json\nContent-Length: %d\n\n%s", raw, len(tc.body), tc.body))
			if got.Status != 200 {
				t.Fatalf("%d %s", got.Status, got.Body)
			}
			receipt := onlyReceipt(t, node)
			effect := purge.Effect{}
			if tc.soft {
				effect = purge.SoftEffect()
			}
			effect.At = receipt.Effect.At
			if receipt.Effect != effect || receipt.Service != "shop" || receipt.Dialect != tc.dialect {
				t.Errorf("receipt %+v", receipt)
			}
			var named []string
			for _, s := range receipt.Selectors {
				named = append(named, s.Kind.String()+" "+s.String())
			}
			if text := strings.Join(named, " | "); text != tc.want {
				t.Errorf("purged %s, want %s", text, tc.want)
			}
		})
	}
}

// onlyReceipt returns the receipt of the one purge of a node.
func onlyReceipt(t *testing.T, n *dialecttest.Node) control.Receipt {
	t.Helper()
	creds := dialecttest.Loopback
	creds.Listener = control.AdminListener
	reader, err := n.Control.Reader(creds)
	if err != nil {
		t.Fatal(err)
	}
	receipts := reader.Recent(2)
	if len(receipts) != 1 {
		t.Fatalf("%d purges", len(receipts))
	}
	return receipts[0]
}
