// Package edge is the side of a node that fetches through a shield: Parent sends
// each request to the node of the shield's POP that its URL belongs to, with what
// the answer must not be older than, to the next one where that fails, and to the
// origin where none can be asked. Log remembers which purges this node has applied.
package edge
