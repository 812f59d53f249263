package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/rescind-edge/rescind/api"
)

// PurgeAndWait withdraws what p names and waits until the members that level
// names have applied it, for at most timeout or what the node allows; 0 leaves
// that to the node. Whether they have is in Receipt.Confirmations, which is nil
// where the node is alone and there is nobody to wait for. Options.Timeout counts
// beside the wait.
func (c *Client) PurgeAndWait(ctx context.Context, p api.Purge, level api.WaitLevel, timeout time.Duration) (*api.Receipt, error) {
	query := url.Values{api.QueryWait: {string(level)}}
	if timeout > 0 {
		query.Set(api.QueryTimeout, timeout.String())
	}
	request, err := c.request(ctx, http.MethodPost, api.PathPurges+"?"+query.Encode(), p)
	if err != nil {
		return nil, err
	}
	patient := *c
	if patient.http.Timeout += timeout; timeout == 0 {
		patient.http.Timeout = 0 // the node's own limit, which is not known here
	}
	receipt, _, err := exchange[api.Receipt](&patient, request)
	return receipt, err
}

// Members returns who belongs to the node's cluster, and how the node stands to
// them.
func (c *Client) Members(ctx context.Context) (*api.Cluster, error) {
	return call[api.Cluster](ctx, c, http.MethodGet, api.PathMembers, nil)
}

// Forget takes a member out of the cluster that will not come back.
func (c *Client) Forget(ctx context.Context, member string) error {
	request, err := c.request(ctx, http.MethodDelete, api.PathMembers+"/"+url.PathEscape(member), nil)
	if err != nil {
		return err
	}
	_, _, err = c.send(request)
	return err
}

// Keys tells which secrets each member uses, by names.
func (c *Client) Keys(ctx context.Context) (*api.ClusterKeys, error) {
	return call[api.ClusterKeys](ctx, c, http.MethodGet, api.PathKeys, nil)
}

// Leave has the node leave its cluster for good.
func (c *Client) Leave(ctx context.Context) (*api.ClusterStatus, error) {
	return call[api.ClusterStatus](ctx, c, http.MethodPost, api.PathLeave, nil)
}
