package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// resident adds up the resident bytes of a process and of all that it started.
func resident(p *os.Process) float64 {
	if p == nil {
		return 0
	}
	children := map[int][]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	pages := map[int]float64{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		var state string
		var parent int
		if _, err := fmt.Sscan(rest, &state, &parent); err != nil {
			continue
		}
		children[parent] = append(children[parent], pid)
		if fields := strings.Fields(rest); len(fields) > 21 {
			pages[pid], _ = strconv.ParseFloat(fields[21], 64)
		}
	}
	sum := 0.0
	for list := []int{p.Pid}; len(list) > 0; {
		pid := list[len(list)-1]
		list = append(list[:len(list)-1], children[pid]...)
		sum += pages[pid]
	}
	return sum * float64(os.Getpagesize())
}
