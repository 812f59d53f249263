package metrics

// section is what docs/metrics.md shows under one heading.
type section struct {
	title   string
	metrics []*definition
}

// catalog lists every metric of ours, in the order of the documentation.
func catalog() []section {
	return []section{
		{"Requests", requestMetrics()},
		{"Origins", originMetrics()},
		{"Shields", shieldMetrics()},
		{"Purges", purgeMetrics()},
		{"Cluster", clusterDefinitions()},
		{"Journal", journalDefinitions()},
		{"Store", storeMetrics()},
		{"Listeners", listenerMetrics()},
		{"Logs", logMetrics()},
		{"Node", nodeMetrics()},
	}
}

func requestMetrics() []*definition {
	return []*definition{&requestsTotal, &requestSeconds, &responseBytes, &requestBytes, &responsesCut, &collapsedTotal}
}

func originMetrics() []*definition {
	return []*definition{
		&originRequests, &originErrors, &refreshesTotal, &revalidations, &abandonedTotal, &ignoredKeys,
		&originUp, &originInFlight, &originWaiting, &originConnections, &originExchanges, &originFailures,
	}
}

func purgeMetrics() []*definition {
	return []*definition{
		&purgesTotal, &purgeSelectors, &purgedObjects, &purgeSeconds, &revertsTotal, &denialsTotal, &denialsSuppressed,
		&tokenChanges, &invalidations, &purgeMarks, &markBytes, &markBudget, &foldedTotal, &sweepsTotal,
		&droppedMarks,
	}
}

func storeMetrics() []*definition {
	return []*definition{&storeObjects, &storeBytes, &storeBudget, &storeAdded, &storeRemoved, &storeRefused}
}

func listenerMetrics() []*definition {
	return []*definition{&connectionsOpen, &connectionsAccepted, &handshakeFailures, &receivedTotal, &refusedTotal}
}

func logMetrics() []*definition { return []*definition{&logDelivered, &logDropped} }

func nodeMetrics() []*definition { return []*definition{&buildInfo, &nodeInfo} }
