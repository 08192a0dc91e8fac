package config

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var window = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$`)

// ParseWindow reads a part of the day such as "22:30-05:00" as two minutes of
// the day. The second is not in it, and comes before the first when the window
// passes midnight.
func ParseWindow(text string) (from, until int, err error) {
	m := window.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, fmt.Errorf("is %q: write two times of the day such as 01:00-05:00", text)
	}
	minutes := func(hour, minute string) int {
		// The pattern admits digits only, and few of them.
		h, _ := strconv.Atoi(hour)
		n, _ := strconv.Atoi(minute)
		return h*60 + n
	}
	if from, until = minutes(m[1], m[2]), minutes(m[3], m[4]); from == until {
		return 0, 0, fmt.Errorf("is %q, which begins and ends at once: give budget.daily_share what is to hold all day", text)
	}
	return from, until, nil
}

func checkWindow(text string) error {
	_, _, err := ParseWindow(text)
	return err
}

// checkZone wants a zone that is the same on every machine, which Local is not.
func checkZone(text string) error {
	if _, err := time.LoadLocation(text); err != nil || text == "" || text == "Local" {
		return fmt.Errorf("is %q: write a time zone such as Europe/Berlin or UTC", text)
	}
	return nil
}
