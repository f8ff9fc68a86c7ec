package redact

import "strings"

// numberDetectors find the numbers of cards, accounts and telephones. Ids,
// timestamps and sizes are numbers as well, so that each needs more than its
// length: the issuer and the check digit of a card, the remainder of an IBAN,
// the plus sign of a telephone.
func numberDetectors() []detector {
	phone := lazy(`\+[1-9]\d{0,3}(?:[ .-]?\(?\d{1,4}\)?){2,6}`)
	return []detector{
		{kind: "card", find: findCards},
		{kind: "iban", find: findIBAN},
		{kind: "phone", keywords: []string{"+"}, find: func(t text, add func(from, to int)) {
			for _, match := range phone().FindAllStringIndex(t.s, -1) {
				if isPhone(t, match[0], match[1]) {
					add(match[0], match[1])
				}
			}
		}},
	}
}

// findCards finds numbers of payment cards, written in one or in groups.
func findCards(t text, add func(from, to int)) {
	runs(t.s, func(c byte) bool { return isDigit(c) || c == ' ' || c == '-' }, func(from, to int) {
		for from < to && !isDigit(t.s[from]) {
			from++
		}
		for to > from && !isDigit(t.s[to-1]) {
			to--
		}
		// An id such as order-4000123412341234.
		if from > 1 && (t.s[from-1] == '-' || t.s[from-1] == '_') && isAlphanumeric(t.s[from-2]) {
			return
		}
		if to-from < 14 || isFraction(t.s, from) || wordBefore(t.s, from) || wordAt(t.s, to) || !isGrouped(t.s[from:to]) || isID(t.lower[:from]) {
			return
		}
		digits := strings.NewReplacer(" ", "", "-", "").Replace(t.s[from:to])
		if hasIssuer(digits) && luhn(digits) {
			add(from, to)
		}
	})
}

// isFraction tells whether digits stand behind a decimal point.
func isFraction(s string, at int) bool { return at > 0 && s[at-1] == '.' }

// isGrouped tells whether digits are written together, or in the groups that
// cards are printed with.
func isGrouped(s string) bool {
	separator := strings.IndexAny(s, " -")
	if separator < 0 {
		return true
	}
	groups := strings.Split(s, s[separator:separator+1])
	switch len(groups) {
	case 4, 5:
		for i, group := range groups {
			if len(group) != 4 && (i < len(groups)-1 || len(group) > 3) {
				return false
			}
		}
		return true
	case 3:
		return len(groups[0]) == 4 && len(groups[1]) == 6 && (len(groups[2]) == 5 || len(groups[2]) == 4)
	}
	return false
}

// isID tells whether what stands before a number says that it is no card's.
func isID(before string) bool {
	if strings.HasSuffix(before, `number":`) {
		// A field of Temporal's; a card's number would be a string.
		return true
	}
	before = strings.TrimRight(before, ` :="'\[`)
	for _, name := range []string{"task-id", "taskid", "task_id", "event-id", "eventid", "event_id", "shard-id", "shardid", "version", "offset", "timestamp", "nanos", "seq", "sequence", "ts", "time", "level", "size", "bytes", "count", "rangeid", "range-id"} {
		if strings.HasSuffix(before, name) {
			return true
		}
	}
	return false
}

// hasIssuer tells whether digits begin as the cards of an issuer that has
// cards of this length.
func hasIssuer(digits string) bool {
	n := len(digits)
	two, four := digits[:2], digits[:4]
	switch {
	case digits[0] == '4', two >= "51" && two <= "55", four >= "2221" && four <= "2720", four == "6011", two == "65", four >= "6440" && four <= "6499", four >= "3528" && four <= "3589":
		return n == 16
	case two == "34" || two == "37":
		return n == 15
	case two == "36" || two == "38" || two == "30" && digits[2] <= '5':
		return n == 14
	case two == "62":
		return n >= 16 && n <= 19
	}
	return false
}

// luhn tells whether the last digit checks the others.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// findIBAN finds international bank account numbers: two letters, two check
// digits and 11 to 30 letters and digits, in one or in groups of four.
func findIBAN(t text, add func(from, to int)) {
	s := t.s
	for p := 0; p+15 <= len(s); p++ {
		if !isDigit(s[p+2]) || !isDigit(s[p+3]) || !isUpper(s[p]) || !isUpper(s[p+1]) || wordBefore(s, p) {
			continue
		}
		if end, ok := ibanEnd(s, p); ok {
			add(p, end)
			p = end - 1
		}
	}
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// ibanEnd returns where the IBAN that begins at from ends. A word in capitals
// may stand behind it, so that each end is tried.
func ibanEnd(s string, from int) (int, bool) {
	compact := make([]byte, 0, 34)
	end := 0
	for p := from; p < len(s) && len(compact) < cap(compact); p++ {
		if s[p] == ' ' && len(compact)%4 == 0 {
			continue
		}
		if !isDigit(s[p]) && !isUpper(s[p]) {
			break
		}
		compact = append(compact, s[p])
		if len(compact) >= 15 && !wordAt(s, p+1) && mod97(compact) {
			end = p + 1
		}
	}
	return end, end > 0
}

// mod97 tells whether the two check digits of an IBAN are right.
func mod97(iban []byte) bool {
	remainder := 0
	for i := range iban {
		c := iban[(i+4)%len(iban)]
		if c >= 'A' {
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		} else {
			remainder = (remainder*10 + int(c-'0')) % 97
		}
	}
	return remainder == 1
}

// isPhone tells a telephone number from another number with a plus sign: a
// time zone, an exponent, the metadata of a version, an amount with its unit.
func isPhone(t text, from, to int) bool {
	if from > 0 && (isAlphanumeric(t.s[from-1]) || strings.IndexByte("._-/", t.s[from-1]) >= 0) || wordAt(t.s, to) {
		return false
	}
	digits := 0
	for i := from; i < to; i++ {
		if isDigit(t.s[i]) {
			digits++
		}
	}
	if digits < 8 || digits > 15 || strings.Count(t.s[from:to], ".") == 1 {
		return false
	}
	unit, _, _ := strings.Cut(strings.TrimLeft(t.lower[to:], " "), " ")
	switch strings.TrimRight(unit, ",.;)") {
	case "ns", "us", "µs", "ms", "s", "bytes", "b", "kb", "mb", "rows", "lines", "tasks", "events":
		return false
	}
	return true
}
