package client_test

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func TestClusterCalls(t *testing.T) {
	for name, test := range map[string]struct {
		answer, request string
		call            func(context.Context, *client.Client) (any, error)
		want            any
	}{
		"members": {`{"state":"ready","members":[{"name":"a"}]}`, "GET /v1/cluster/members",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Members(ctx) },
			&api.Cluster{ClusterStatus: api.ClusterStatus{State: api.StateReady}, Members: []api.Member{{Name: "a"}}}},
		"keys": {`{"step":"one","next":"nothing"}`, "GET /v1/cluster/keys",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Keys(ctx) },
			&api.ClusterKeys{Step: api.KeysOne, Next: "nothing"}},
		"leave": {`{"state":"leaving"}`, "POST /v1/cluster/leave",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Leave(ctx) },
			&api.ClusterStatus{State: api.StateLeaving}},
		"forget": {`{}`, "DELETE /v1/cluster/members/a%2Fb",
			func(ctx context.Context, c *client.Client) (any, error) { return nil, c.Forget(ctx, "a/b") }, nil},
		"purge and wait": {`{"id":"01","confirmations":{"members":[],"applied":0,"confirmed":["all"]}}`, "POST /v1/purges?timeout=5s&wait=all",
			func(ctx context.Context, c *client.Client) (any, error) {
				r, err := c.PurgeAndWait(ctx, api.Purge{Keys: []string{"k"}}, api.WaitAll, 5*time.Second)
				return r.Confirmations.Reached(api.WaitAll), err
			}, true},
		"purge and wait for as long as the node allows": {`{"id":"01"}`, "POST /v1/purges?wait=peer",
			func(ctx context.Context, c *client.Client) (any, error) {
				_, err := c.PurgeAndWait(ctx, api.Purge{All: true}, api.WaitPeer, 0)
				return nil, err
			}, nil},
	} {
		n := &node{status: 200, contentType: "application/json", answer: test.answer}
		got, err := test.call(t.Context(), start(t, n, client.Options{}))
		if err != nil || !reflect.DeepEqual(got, test.want) || n.request != test.request {
			t.Errorf("%s: %+v, %v after %s", name, got, err, n.request)
		}
	}
}

// A wait is not cut by the time that a call may take without one.
func TestWaitOutlivesTheTimeout(t *testing.T) {
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := r.Context().Deadline(); ok {
			t.Error("the handler has a deadline")
		}
		fmt.Fprint(w, `{"id":"01"}`)
	}), client.Options{Timeout: time.Nanosecond})
	if _, err := c.PurgeAndWait(t.Context(), api.Purge{All: true}, api.WaitAll, 20*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := c.Purge(t.Context(), api.Purge{All: true}); err == nil {
		t.Error("a nanosecond was enough")
	}
}
