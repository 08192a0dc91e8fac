package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is a place in the struct that a text can be put into.
type value interface {
	set(text string) error
	show() string
}

type (
	// textValue is a string with a check.
	textValue struct {
		at    *string
		check func(string) error
	}
	// pathValue is a string that is made absolute after reading.
	pathValue struct{ at *string }
	// refValue is a reference to a secret with one of the schemes.
	refValue struct {
		at      *string
		schemes []string
	}
	// wordValue is a string out of a closed list.
	wordValue struct {
		at    *string
		words []string
	}
	boolValue struct{ at *bool }
	// countValue is a whole number from least upwards.
	countValue struct {
		at    *int
		least int
	}
	callsValue struct{ at *int64 }
	// spanValue is a positive duration.
	spanValue  struct{ at *time.Duration }
	shareValue struct{ at *Share }
)

func (v textValue) show() string  { return *v.at }
func (v pathValue) show() string  { return *v.at }
func (v refValue) show() string   { return *v.at }
func (v wordValue) show() string  { return *v.at }
func (v boolValue) show() string  { return strconv.FormatBool(*v.at) }
func (v countValue) show() string { return strconv.Itoa(*v.at) }
func (v callsValue) show() string { return strconv.FormatInt(*v.at, 10) }
func (v spanValue) show() string  { return v.at.String() }
func (v shareValue) show() string { return v.at.String() }

func (v textValue) set(text string) error {
	if v.check != nil {
		if err := v.check(text); err != nil {
			return err
		}
	}
	*v.at = text
	return nil
}

func (v pathValue) set(text string) error {
	if text == "" {
		return errors.New("is empty: write a path")
	}
	*v.at = text
	return nil
}

func (v refValue) set(text string) error {
	scheme, _, ok := strings.Cut(text, ":")
	if ok && !slices.Contains(v.schemes, scheme) {
		return fmt.Errorf("has the scheme %q: write %s", scheme, v.forms())
	}
	// The text itself stays out of the message: people paste secrets here.
	if _, err := parseRef(text); err != nil {
		return fmt.Errorf("is not a reference: write %s; secrets do not stand in this file", v.forms())
	}
	*v.at = text
	return nil
}

func (v refValue) forms() string {
	forms := map[string]string{schemeFile: "file:PATH", schemeEnv: "env:NAME", schemeCredential: "credential:NAME"}
	var list []string
	for _, scheme := range v.schemes {
		list = append(list, forms[scheme])
	}
	return strings.Join(list, " or ")
}

func (v wordValue) set(text string) error {
	if !slices.Contains(v.words, text) {
		return fmt.Errorf("is %q: write %s", text, orList(v.words))
	}
	*v.at = text
	return nil
}

func (v boolValue) set(text string) error {
	switch text {
	case "true":
		*v.at = true
	case "false":
		*v.at = false
	default:
		return fmt.Errorf("is %q: write true or false", text)
	}
	return nil
}

func (v countValue) set(text string) error {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || int(n) < v.least {
		return fmt.Errorf("is %q: write a whole number of at least %d", text, v.least)
	}
	*v.at = int(n)
	return nil
}

func (v callsValue) set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("is %q: write a number of API calls, 0 or more", text)
	}
	*v.at = n
	return nil
}

func (v spanValue) set(text string) error {
	d, err := parseSpan(text)
	if err != nil {
		return err
	}
	*v.at = d
	return nil
}

func (v shareValue) set(text string) error {
	s, err := ParseShare(text)
	if err != nil {
		return err
	}
	*v.at = s
	return nil
}

const day = 24 * time.Hour

var days = regexp.MustCompile(`^(\d+)d`)

// parseSpan reads a positive Go duration that may begin with days, such as
// "30d", "1d12h" or "300s".
func parseSpan(text string) (time.Duration, error) {
	refusal := fmt.Errorf("is %q: write a duration such as 90s, 24h or 30d", text)
	var whole time.Duration
	rest := text
	if m := days.FindStringSubmatch(text); m != nil {
		n, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil || n > math.MaxInt64/int64(day) {
			return 0, refusal
		}
		whole, rest = time.Duration(n)*day, text[len(m[0]):]
		if rest == "" {
			rest = "0s"
		}
	}
	part, err := time.ParseDuration(rest)
	if err != nil || part < 0 || whole > math.MaxInt64-part || whole+part == 0 {
		return 0, refusal
	}
	return whole + part, nil
}

// Share is a part of a whole in hundredths of a percent: 4000 is 40%.
type Share int

// whole is the share that is everything.
const whole Share = 100_00

var percent = regexp.MustCompile(`^(\d{1,3})(?:\.(\d{1,2}))?%$`)

// ParseShare reads a percentage such as "40%" or "2.5%".
func ParseShare(text string) (Share, error) {
	m := percent.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("is %q: write a percentage such as 40%%", text)
	}
	// The pattern admits digits only, and few of them.
	n, _ := strconv.Atoi(m[1])
	fraction, _ := strconv.Atoi((m[2] + "00")[:2])
	s := Share(n*100 + fraction)
	if s > whole {
		return 0, fmt.Errorf("is %q: write at most 100%%", text)
	}
	return s, nil
}

// String writes the share as ParseShare reads it.
func (s Share) String() string {
	if s%100 == 0 {
		return fmt.Sprintf("%d%%", s/100)
	}
	return strings.TrimSuffix(fmt.Sprintf("%d.%02d", s/100, s%100), "0") + "%"
}

// Of returns the share of n, rounded down. It does not overflow.
func (s Share) Of(n int64) int64 {
	return n/int64(whole)*int64(s) + n%int64(whole)*int64(s)/int64(whole)
}

// orList writes words as people list choices.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
