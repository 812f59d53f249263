package catch

import "errors"

// errUnknownEdge is the reason not to catch up with an edge that this node does not
// see alive, or sees in another start than the one that asks.
var errUnknownEdge = errors.New("the edge is not a live member as seen from here")
