package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/rescind-edge/rescind/api"
)

// Each call returns an *api.Problem where the node refused, and an error that
// wraps ErrUnreachable where no answer came.

// Purge withdraws what p names and returns its receipt. When it returns without
// an error, the node has applied the purge.
func (c *Client) Purge(ctx context.Context, p api.Purge) (*api.Receipt, error) {
	return call[api.Receipt](ctx, c, http.MethodPost, api.PathPurges, p)
}

// PurgeOnce does what Purge does, and can be repeated: where the same key came
// before within api.IdempotencyHours with the same purge, the node purges
// nothing and returns the receipt of the first; replayed is then true. key has 1
// to api.MaxIdempotencyKeyBytes bytes of printable ASCII.
func (c *Client) PurgeOnce(ctx context.Context, key string, p api.Purge) (receipt *api.Receipt, replayed bool, err error) {
	request, err := c.request(ctx, http.MethodPost, api.PathPurges, p)
	if err != nil {
		return nil, false, err
	}
	request.Header.Set(api.HeaderIdempotencyKey, key)
	receipt, answer, err := exchange[api.Receipt](c, request)
	if err != nil {
		return nil, false, err
	}
	return receipt, answer.Get(api.HeaderIdempotentReplay) == "true", nil
}

// Receipts returns the node's newest receipts, newest first: at most limit, or
// api.DefaultListed where limit is 0.
func (c *Client) Receipts(ctx context.Context, limit int) ([]api.Receipt, error) {
	path := api.PathPurges
	if limit != 0 {
		path += "?" + api.QueryLimit + "=" + strconv.Itoa(limit)
	}
	list, err := call[api.List](ctx, c, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return list.Purges, nil
}

// Receipt returns the receipt of one purge.
func (c *Client) Receipt(ctx context.Context, id string) (*api.Receipt, error) {
	return call[api.Receipt](ctx, c, http.MethodGet, purgePath(id), nil)
}

// Revert removes exactly one purge's effects. It is final.
func (c *Client) Revert(ctx context.Context, id string) (*api.Revert, error) {
	return call[api.Revert](ctx, c, http.MethodPost, purgePath(id)+api.RevertSuffix, nil)
}

// Status returns what the node is and does.
func (c *Client) Status(ctx context.Context) (*api.Status, error) {
	return call[api.Status](ctx, c, http.MethodGet, api.PathStatus, nil)
}

// Services returns the services that the caller may see.
func (c *Client) Services(ctx context.Context) ([]api.ServiceStatus, error) {
	list, err := call[api.Services](ctx, c, http.MethodGet, api.PathServices, nil)
	if err != nil {
		return nil, err
	}
	return list.Services, nil
}

// Explain tells what the node would do with a request for a URL, and why.
// header holds the fields of that request as "Name:value", which matter where
// the response varies.
func (c *Client) Explain(ctx context.Context, rawURL string, header ...string) (*api.Explanation, error) {
	query := url.Values{api.QueryURL: {rawURL}}
	if len(header) > 0 {
		query[api.QueryHeader] = header
	}
	return call[api.Explanation](ctx, c, http.MethodGet, api.PathExplain+"?"+query.Encode(), nil)
}

// Top returns what the node is busy with: at most limit URLs and keys, or
// api.DefaultTop where limit is 0.
func (c *Client) Top(ctx context.Context, limit int) (*api.Top, error) {
	path := api.PathTop
	if limit != 0 {
		path += "?" + api.QueryLimit + "=" + strconv.Itoa(limit)
	}
	return call[api.Top](ctx, c, http.MethodGet, path, nil)
}

func purgePath(id string) string {
	return fmt.Sprintf("%s/%s", api.PathPurges, url.PathEscape(id))
}
