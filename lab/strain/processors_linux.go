package strain

import (
	"os"
	"strconv"
	"strings"
)

// processors reads /proc/stat (proc_stat(5)).
func processors() (usage, bool) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return usage{}, false
	}
	return readStat(string(content))
}

// The columns of /proc/stat that are told apart, behind the name "cpu".
const (
	columnNice   = 2
	columnIdle   = 4
	columnIOWait = 5
	columnSteal  = 8 // the last that counts: guests are in the others already
)

// readStat reads the line of all processors. What others took of a virtual
// machine is gone as if it had been used.
func readStat(content string) (usage, bool) {
	line, _, _ := strings.Cut(content, "\n")
	fields := strings.Fields(line)
	if len(fields) <= columnSteal || fields[0] != "cpu" {
		return usage{}, false
	}
	var u usage
	for column := 1; column <= columnSteal; column++ {
		ticks, err := strconv.ParseFloat(fields[column], 64)
		if err != nil {
			return usage{}, false
		}
		u.all += ticks
		if column != columnNice && column != columnIdle && column != columnIOWait {
			u.used += ticks
		}
	}
	return u, true
}
