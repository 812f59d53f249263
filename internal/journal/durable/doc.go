// Package durable keeps a node's journal and replicated state on disk, and
// joins them: what is appended or received is recorded, given a position,
// applied, and made durable with whatever else waits for the disk. Without a
// directory it does the same in memory. It sends nothing and knows nothing of
// what entries mean.
//
// # Order
//
// One lock orders everything. Under it an entry is recorded, gets the next
// position and is handed to Apply; then it waits for the disk, if its caller
// does. So an effect is in force, and may be passed on to other nodes, before it
// is durable; what must not be said before that is that it is: see Ticket and
// Durable. There is no goroutine here. Who waits first writes for all who wait,
// with one sync.
//
// # On disk
//
// A log in segments, and a checkpoint. A commit is one or more frames, each with
// a checksum over its content and its place; records in a frame are entries,
// rows, items of the state and reservations of positions. All are joined to what
// is known already, so reading one twice does no harm, and a checkpoint is
// nothing but the same records of everything. A segment goes when none of its
// entries is kept any more and a checkpoint has the rest.
//
// Positions are reserved in steps of Reserve. A start begins at the end of the
// last reservation, which is above every position ever given out.
//
// # When the disk fails
//
//   - A commit that fails (full disk, read-only, failed sync): those who waited
//     get ErrNotDurable. Their entries are in force, spread, and are written
//     again with the next commit, to a new segment: after a failed sync nobody
//     knows what is in the old one. Nothing is retried unless somebody waits or
//     Sync is called.
//   - Entries that fail to become durable for long are not queued without bound:
//     past maxPending the next commit writes anew all that is kept in memory.
//   - Torn tail (loss of power or kill -9 in a commit): frames that no later
//     commit vouches for are cut off at Open and counted. Nothing in them was
//     acknowledged as durable.
//   - Damage before that: Open fails with a *CorruptError that names the file
//     and the place. The node can start without its journal, as one that has
//     nothing stored, once the files are moved away.
//   - Files of another version: Open fails with ErrVersion.
//   - A directory in use: Open fails with a *vfs.LockedError.
//   - A directory that cannot be written: Open fails; a start must reserve
//     positions.
//
// A last frame damaged after it was acknowledged cannot be told from one that
// was torn, and is cut off like one: its entries come back from other nodes.
package durable
