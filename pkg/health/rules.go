package health

// Rules returns the rules that gates are made from, those of the cluster first.
// Their slices are not to be changed.
func Rules() []Rule {
	return []Rule{
		ruleTargetsDown, ruleAccepting, ruleDispatch, ruleRefused, ruleDemandImpaired, ruleCollapsed,
		ruleHeadOfLine, ruleServedFallsAway, ruleCompleting, ruleWaiting,
		rulePollers, rulePollsThrottled, ruleSlots, ruleScheduleToStart,
		rulePersistenceLatency, rulePersistenceErrors, rulePool, ruleThrottled, ruleRequestLatency, ruleShardChurn,
		ruleBusinessFailures,
	}
}
