package metrics

import "slices"

// scraped lists what is read from the sources. All else is told.
func scraped() []*definition {
	own := []*definition{
		&collapsedTotal, &originRequests, &refreshesTotal, &revalidations, &abandonedTotal, &ignoredKeys,
		&originUp, &originInFlight, &originWaiting, &originConnections, &originExchanges, &originFailures,
		&purgeMarks, &markBytes, &markBudget, &foldedTotal, &sweepsTotal, &droppedMarks, &invalidations,
		&storeObjects, &storeBytes, &storeBudget, &storeAdded, &storeRemoved, &storeRefused,
		&connectionsOpen, &connectionsAccepted, &handshakeFailures, &receivedTotal,
		&logDelivered, &logDropped,
	}
	return slices.Concat(own, clusterDefinitions(), journalDefinitions(), shieldMetrics())
}

var byService = []string{"service"}

var (
	collapsedTotal = definition{"rescind_requests_collapsed_total", counter, byService,
		"Requests that shared the fetch of another"}
	originRequests = definition{"rescind_origin_requests_total", counter, byService,
		"Requests sent to origins"}
	refreshesTotal = definition{"rescind_background_refreshes_total", counter, byService,
		"Fetches that renewed a stale object in the background"}
	revalidations = definition{"rescind_revalidations_total", counter, []string{"service", "result"},
		"Not modified answers of origins: renewed, or discarded because a purge withdrew the object meanwhile"}
	abandonedTotal = definition{"rescind_fetches_abandoned_total", counter, byService,
		"Fetches given up because nobody read any more"}
	ignoredKeys = definition{"rescind_ignored_surrogate_keys_total", counter, byService,
		"Surrogate keys ignored because they exceed the limits of a header: purges of them miss objects"}
)

var byBackend = []string{"service", "origin", "address"}

var (
	originUp = definition{"rescind_origin_up", gauge, byBackend,
		"Whether an origin's address gets requests: 1 or 0; also 0 while the name has no address"}
	originInFlight = definition{"rescind_origin_in_flight_requests", gauge, byBackend,
		"Exchanges in progress"}
	originWaiting = definition{"rescind_origin_waiting_requests", gauge, byBackend,
		"Requests that wait for a connection"}
	originConnections = definition{"rescind_origin_connections", gauge, byBackend,
		"Open connections, idle ones included"}
	originExchanges = definition{"rescind_origin_exchanges_total", counter, byBackend,
		"Exchanges that ended"}
	originFailures = definition{"rescind_origin_failures_total", counter, byBackend,
		"Exchanges that ended in a failure that blames the address"}
)

var (
	purgeMarks = definition{"rescind_purge_marks", gauge, nil,
		"Tags that have a mark"}
	markBytes = definition{"rescind_purge_mark_bytes", gauge, nil,
		"Memory of marks"}
	markBudget = definition{"rescind_purge_mark_budget_bytes", gauge, nil,
		"Memory of marks past which they fold"}
	foldedTotal = definition{"rescind_purge_folded_total", counter, nil,
		"Marks folded for want of memory: each withdraws more than was asked for"}
	sweepsTotal = definition{"rescind_sweeps_total", counter, nil,
		"Passes of the sweeper over the store"}
	droppedMarks = definition{"rescind_sweep_dropped_purges_total", counter, nil,
		"Purges whose marks the sweeper dropped, because nothing can need them any more"}
	invalidations = definition{"rescind_invalidations_total", counter, nil,
		"Purges that the node made itself after a successful unsafe method"}
)

var (
	storeObjects = definition{"rescind_store_objects", gauge, nil,
		"Objects stored"}
	storeBytes = definition{"rescind_store_bytes", gauge, nil,
		"Memory in use: objects, and bodies that arrive or are still read"}
	storeBudget = definition{"rescind_store_budget_bytes", gauge, nil,
		"Most memory in use, as configured"}
	storeAdded = definition{"rescind_store_added_objects_total", counter, nil,
		"Objects put in"}
	storeRemoved = definition{"rescind_store_removed_objects_total", counter, []string{"reason"},
		"Objects that left: evicted for space, swept after a purge, expired, replaced by a newer response, or removed"}
	storeRefused = definition{"rescind_store_refused_total", counter, nil,
		"Objects and pieces of bodies for which there was no room"}
)

var (
	connectionsOpen = definition{"rescind_connections", gauge, nil,
		"Open connections of clients"}
	connectionsAccepted = definition{"rescind_connections_accepted_total", counter, nil,
		"Connections accepted"}
	handshakeFailures = definition{"rescind_tls_handshake_failures_total", counter, nil,
		"TLS handshakes that failed, whosever fault it was"}
	receivedTotal = definition{"rescind_received_requests_total", counter, []string{"version"},
		"Requests whose head arrived whole, by major version of HTTP"}
)

var (
	logDelivered = definition{"rescind_log_delivered_lines_total", counter, []string{"output"},
		"Lines of the logs that left"}
	logDropped = definition{"rescind_log_dropped_lines_total", counter, []string{"output"},
		"Lines of the logs that were lost, because the output was too slow or failed"}
)
