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

func purgePath(id string) string {
	return fmt.Sprintf("%s/%s", api.PathPurges, url.PathEscape(id))
}
