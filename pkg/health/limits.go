package health

import "time"

// Every number that a rule compares with stands here, once, with the reason
// for it. A count of evaluations is a number of observations in a row, so that
// a shorter observation interval gives a faster verdict.
const (
	// trendLength is how many observations a scope's sliding window holds: ten
	// minutes at the default interval of 30 s.
	trendLength = 20

	// A step up needs evidence in enterStressed of the last ofStressed
	// evaluations, and in enterCritical of the last ofCritical: one odd sample
	// proves nothing, and a total stall still reaches Critical by the fourth.
	enterStressed, ofStressed = 2, 3
	enterCritical, ofCritical = 3, 4

	// A step down needs calmAtFirst evaluations in a row without evidence. A
	// state that comes back within relapseWithin evaluations of having been left,
	// five minutes at the default interval, needs twice as many the next time, up
	// to calmAtMost: one incident, one entry, one exit.
	calmAtFirst, calmAtMost = 3, 12
	relapseWithin           = 10

	// impairedShare of demand makes the cluster Critical (design property H8).
	impairedShare = 0.5

	// leftoverWeight is what a task that waits where none arrives weighs, in
	// tasks a second: less than any traffic, more than nothing.
	leftoverWeight = 1e-9

	// taken is the part of the arriving tasks that must be handed to workers
	// for the head of a queue to count as moving. Below one in twenty, what
	// moves is noise of the rate windows.
	taken = 0.05

	// servedShare: progress is impaired when less than half is served of what
	// is asked and used to be served. Half is where a queue that retries twice
	// would begin to diverge.
	servedShare = 0.5

	// expectedEvents is how many events must have been expected, and not have
	// come, before their absence proves a stall: with five expected, chance
	// explains none at all in fewer than 1 of 100 cases (Poisson, e^-5).
	expectedEvents = 5

	// windowScrapes is how many scrapes the window of rates holds.
	windowScrapes = 3

	// longSilence proves a stall where no usual pace is known.
	longSilence = 5 * time.Minute

	// backlogRefresh is how often the server refreshes its backlog gauges
	// (matching.backlogMetricsEmitInterval). Twice that is how long a gauge must
	// show something before it is no remainder.
	backlogRefresh = time.Minute

	// completingFor is how long tasks must be taken and not answered: a
	// workflow task times out after 10 s, and two scrapes may lie between the
	// start and the answer that is counted.
	completingFor = 90 * time.Second

	// waitingAge: a task that waits this long waits for want of a worker or of
	// the server. Hand-overs of shards make waits below 5 s; the gauge itself
	// is refreshed once a minute (backlogRefresh).
	waitingAge = 30.0 // seconds

	// transitionsPerArrival: every accepted start or signal is itself one
	// state transition, so fewer than half a transition an arrival means that
	// the server does not accept the work.
	transitionsPerArrival = 0.5

	// tasksPerArrival: a started workflow needs a workflow task. Far fewer
	// tasks than arrivals mean that history does not hand work to matching.
	// One in ten leaves room for delayed starts and for signals to workflows
	// whose task is already scheduled.
	tasksPerArrival = 0.1

	// refusedCritical and refusedStressed are parts of the requests that the
	// server fails for reasons of its own. Half refused is impaired progress
	// by the same measure as impairedShare; one in twenty is what Temporal's
	// own service level (99.9 % monthly) cannot absorb for a quarter of an hour.
	refusedCritical, refusedStressed = 0.5, 0.05
	// throttledCritical: a client beyond its limit is refused what is beyond,
	// and the rest is served; where next to nothing is let in, nothing is.
	throttledCritical = 0.95

	// collapsedShare of the usual transitions while arrivals go on is a
	// collapse; see progress.collapsed.
	collapsedShare = 0.2
	// arrivalsGoOn is the part of the usual arrivals that counts as going on.
	arrivalsGoOn = 0.5

	// timesUsual and the floors: pressure is ten times what is usual for this
	// cluster, and above a floor below which nobody waits (property H4). Both
	// floors are bucket bounds of Temporal's timers (1-2-5), so that no limit
	// lies inside a bucket.
	timesUsual            = 10
	persistenceFloor      = 100.0  // ms
	requestFloor          = 1000.0 // ms
	scheduleToStartFloor  = 1000.0 // ms
	sustained, ofSustain  = 4, 5
	poolExhausted         = 0.95 // of the connections of one replica
	persistenceErrorShare = 0.05
	throttledShare        = 0.01
	// slotBetweenTasks: of the slots of a full worker one may be between two
	// tasks when it is looked at.
	slotBetweenTasks = 1
	// throttledPolls of the polls that matter are refused: workers retry the
	// few that hit a limit for a moment, and lose time with one in twenty.
	throttledPolls = 0.05

	// Worker doctrine, requirement R14.4 and Temporal's worker performance
	// guide. They explain; they do not decide.
	workflowScheduleToStartDoctrine = 50.0  // ms
	activityScheduleToStartDoctrine = 200.0 // ms

	// A baseline is known after baselineKnown samples and follows slowly: each
	// sample weighs 1/baselineMemory once as many have been seen. A sample is
	// learnt only when baselineLag newer ones have been Happy too, so that no
	// verdict rests on the sample that it judges.
	baselineKnown  = 10
	baselineMemory = 120
	baselineLag    = 8
	// pressedMemory is the memory while only pressure.* gates fire: what goes
	// on for the better part of an hour while all work is served has become
	// usual, as after a move to another database.
	pressedMemory = 10 * baselineMemory

	// freshFor is how old telemetry may be and still be judged by; between it
	// and blindAfter confidence falls to nothing.
	freshFor   = 90 * time.Second
	blindAfter = 5 * time.Minute

	// forgetAfter evaluations without demand a quiet scope is forgotten.
	forgetAfter = 2 * trendLength
)
