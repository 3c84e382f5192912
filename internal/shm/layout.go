package shm

import (
	"encoding/binary"
	"math/bits"
	"os"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Where the parts of a segment are, in words. docs/spec/shm.md says the same; where
// they differ, it is right.
const (
	magic   = 0x31_6d_68_73_66_6f_64_68 // "hdofshm1" as little-endian bytes
	version = 1

	// The header, written once by the creator and never changed.
	hdMagic     = 0
	hdVersion   = 1 // version:16 | 0x0102 as the byte order shows it:16 | bytes in a word of Go:8 | page size in KiB:8
	hdWords     = 2 // of the whole segment
	hdSlots     = 3
	hdMaxValue  = 4
	hdRecords   = 5
	hdWaiters   = 6
	hdMembers   = 7
	hdPages     = 8
	hdFlags     = 9
	hdMaxHold   = 10 // ns
	hdPid       = 11 // of the creator
	hdStart     = 12 // when it was created, Unix ns
	hdBorn      = 13 // two words: the incarnation of the segment
	hdTypeLen   = 15
	hdType      = 16 // the fingerprint of the value type
	hdTypeWords = 128
	hdAttempts  = hdType + hdTypeWords // how often a value may be handed out, 0: not bounded
	hdDeadLen   = hdAttempts + 1
	hdDead      = hdDeadLen + 1 // where the dead letter is, as text
	hdDeadWords = 128
	hdPlace     = hdDead + hdDeadWords // two words: the folder in which the bells of the members are
	headerEnd   = hdPlace + 2

	headAt    = 288 // alone on its cache line
	firstWord = 304 // what transactions change begins here

	globalsEnd = firstWord + 64
)

// Of the channel, those that change together side by side.
const (
	gTail = firstWord + iota // last record of the line
	gSent                    // values that left custody
	gSentHigh
	gQueued   // values that came without a slot, or came back
	_         //
	_         //
	_         //
	_         //
	gReceived // values confirmed
	gReceivedHigh
	gReady  // first record of the line that nobody holds
	gNoSlot // first record of the line without a slot
	gBuried // values with a slot that ended otherwise
	gTakers // waiting receivers: first, last
	gTakersTail
	gRooms // receivers that came to wait
	gWatch // who waits for a stop: first, last
	gWatchTail
	gSenders // how many sends wait
	gReceivers
	gHeld      // values that somebody holds, or that rest
	gHeldSlots // of them with a slot
	gOrder     // number of the last value that was handed out
	gOrderHigh
	gClosed
	gStopped // record with the reason, once there was a stop; reasonless if it had none
	gRedelivered
	gRejected
	gDirty    // something can move, and did not fit into a transaction
	gFree     // first magazine of free records
	gNoWaiter // first free waiter
	gPages    // first free run of pages
	gJoined   // members
	gTimed    // holds and rests with an end
	gTries    // how many plain operations wait only for the answers of offers
	gDead     // the segment is over: nobody joins any more
	_
	gSweep // the channel was closed, and values without a slot may have to go home
	gTombs // how many values were buried here
	gEnd
)

// Values of gStopped that are no record.
const (
	reasonless = 1<<32 - 1
	reasonGone = 1<<32 - 2 // lastGone
)

// Of a member.
const (
	mState = iota // memberState
	mID           // four words
	_
	_
	_
	mPid
	mStack // its free records
	mDone  // waiters that something has happened to: first, last
	mDoneTail
	mBirth // when it joined, Unix s
	// Not of transactions.
	mRungAt     = 13 // when it was last rung, ns
	mLooking    = 14 // how many of its goroutines look at memory by themselves
	mRung       = 15 // it was woken, and has not looked since
	memberWords = 16
)

const (
	descriptorWords = 1 + 2*maxWrites + 7
	inlineWords     = 16
	recordWords     = 16 + inlineWords
	waiterWords     = 24
	pageWords       = 4 // of the table of pages
	pageBytes       = 4096
)

// Compile-time checks: a negative array length does not compile. What begins at a multiple of 16 words
// begins at 128 bytes.
var (
	_ [headAt - headerEnd]struct{}
	_ [firstWord - headAt - 16]struct{} // the head is alone on its cache line
	_ [globalsEnd - gEnd]struct{}
	_ [-(headAt % 16) - firstWord%16 - globalsEnd%16]struct{}
	_ [-(memberWords % 16) - recordWords%16 - waiterWords%8 - descriptorWords%8]struct{}
	_ [mRungAt - mBirth - 1]struct{}
	_ [memberWords - mRung - 1]struct{}
	_ [eSize - eChain - 1]struct{}
	_ [recordWords - inlineWords - eLoans - 1]struct{}
	_ [waiterWords - wLent - 1]struct{}
	_ [buryWords - buryTurn - 1]struct{}
	_ [pageWords - pPrev - 1]struct{}
	_ [descriptorWords - 1 - 2*maxWrites]struct{}
	_ [8*hdTypeWords - maxTypeLen]struct{}
	_ [headMembers - maxMembers]struct{}         // a head names any member
	_ [1<<(32-holderShift) - maxMembers]struct{} // and so does a record, and a waiter
	_ [-(maxRecords / exhaustedReason)]struct{}  // what is no record is none
)

// The limits of a segment, whatever its creator or its header says.
const (
	maxRecords  = 1 << 24
	maxWaiters  = 1 << 20
	maxMembers  = 1 << 10
	maxPages    = 1 << 22
	maxTypeLen  = 8 * hdTypeWords
	keepRecords = 8  // how many free records a member keeps
	waiterSpace = 64 // how many records there are besides those for slots, waiters and members
)

// Params is what a segment is made for.
type Params struct {
	Slots     int
	MaxValue  int // bytes
	Waiters   int // operations that may wait at once
	Members   int // attachments
	Pool      int // bytes for values that do not fit into a record
	Type      string
	MaxHold   time.Duration
	Attempts  int    // how often a value may be handed out, 0: not bounded
	Dead      string // where the dead letter is; "" for none
	AutoClose bool
	Born      [16]byte  // the incarnation, random
	Founder   Founder   // the first member
	Place     [2]uint64 // the folder in which the bells of the members are
}

// Founder is the first member of a segment: whoever makes it. One without a name is none.
type Founder struct {
	ID    [16]byte
	Pid   int
	About About
}

// Defaults fills in what p does not say.
func (p *Params) Defaults() {
	if p.Waiters == 0 {
		p.Waiters = 1024
	}
	if p.Members == 0 {
		p.Members = 64
	}
	if p.Pool == 0 {
		p.Pool = 1 << 20
	}
	if p.MaxValue == 0 {
		p.MaxValue = max(inlineWords*8, p.Pool/4)
	}
}

// geometry is where the areas of a segment are.
type geometry struct {
	slots, records, waiters, members, pages  uint32
	memberAt, describeAt, waiterAt, recordAt uint32
	buryAt                                   uint32 // the table of burials
	pageAt, poolAt                           uint32 // the table of pages, and the pages
	words                                    uint32
	maxValue                                 int
}

// place computes a geometry.
func place(slots, records, waiters, members, pages uint64) (g geometry, ok bool) {
	if slots > maxRecords || records > maxRecords || waiters > maxWaiters || members == 0 || members > maxMembers || pages > maxPages ||
		records < slots+waiters {
		return g, false
	}
	at := uint64(globalsEnd)
	area := func(n, size uint64) uint32 {
		at = (at + 15) &^ 15
		start := at
		at += n * size
		return uint32(start)
	}
	g = geometry{slots: uint32(slots), records: uint32(records), waiters: uint32(waiters), members: uint32(members), pages: uint32(pages)}
	g.memberAt = area(members, memberWords)
	g.describeAt = area(members, descriptorWords)
	g.buryAt = area(members*tombs, buryWords)
	g.waiterAt = area(waiters+1, waiterWords) // the number 0 is nobody
	g.recordAt = area(records+1, recordWords)
	g.pageAt = area(pages+1, pageWords)
	at = (at + pageBytes/8 - 1) &^ (pageBytes/8 - 1)
	g.poolAt = area(pages, pageBytes/8)
	g.words = uint32(at)
	return g, at < 1<<31
}

// geometry is that of a segment made for p.
func (p Params) geometry() (geometry, error) {
	p.Defaults()
	records := p.Slots + p.Waiters + p.Members*keepRecords + waiterSpace
	g, ok := place(uint64(p.Slots), uint64(records), uint64(p.Waiters), uint64(p.Members), uint64(p.Pool/pageBytes))
	switch {
	case !ok:
		return g, driver.Because(driver.ErrUnsupported, "a segment of this size: %d slots, %d waiters, %d members, %d bytes of pool",
			p.Slots, p.Waiters, p.Members, p.Pool)
	case len(p.Type) > maxTypeLen:
		return g, driver.Because(driver.ErrUnsupported, "a type whose fingerprint has %d bytes; %d fit", len(p.Type), maxTypeLen)
	case len(p.Dead) > 8*hdDeadWords:
		return g, driver.Because(driver.ErrUnsupported, "a dead letter whose name has %d bytes; %d fit", len(p.Dead), 8*hdDeadWords)
	case p.MaxValue > max(inlineWords*8, int(g.pages)*pageBytes):
		return g, driver.Because(driver.ErrConflict, "maxvalue=%d does not fit into pool=%d", p.MaxValue, p.Pool)
	}
	g.maxValue = p.MaxValue
	return g, nil
}

// Size is how many bytes a segment for p has.
func (p Params) Size() (int64, error) {
	g, err := p.geometry()
	return int64(g.words) * 8, err
}

const flagAutoClose = 1

// formOf is the word hdVersion of this machine.
func formOf() uint64 {
	order := uint64(bytesOf([]uint64{0x0102})[0])<<8 | uint64(bytesOf([]uint64{0x0102})[7])
	return version | order<<16 | uint64(bits.UintSize/8)<<32 | uint64(pageBytes/1024)<<40
}

// Make makes words, which are zero, a segment for p. Nobody else sees them yet.
func Make(words []uint64, p Params) error {
	p.Defaults()
	g, err := p.geometry()
	if err != nil {
		return err
	}
	if len(words) < int(g.words) {
		return driver.Because(driver.ErrConflict, "a segment of %d words in %d", g.words, len(words))
	}
	var flags uint64
	if p.AutoClose {
		flags |= flagAutoClose
	}
	for at, v := range map[uint32]uint64{
		hdMagic: magic, hdVersion: formOf(), hdWords: uint64(g.words), hdSlots: uint64(p.Slots), hdMaxValue: uint64(p.MaxValue),
		hdRecords: uint64(g.records), hdWaiters: uint64(g.waiters), hdMembers: uint64(g.members), hdPages: uint64(g.pages),
		hdFlags: flags, hdMaxHold: uint64(p.MaxHold), hdPid: uint64(os.Getpid()), hdStart: uint64(time.Now().UnixNano()),
		hdBorn: binary.LittleEndian.Uint64(p.Born[:8]), hdBorn + 1: binary.LittleEndian.Uint64(p.Born[8:]), hdTypeLen: uint64(len(p.Type)),
		hdPlace: p.Place[0], hdPlace + 1: p.Place[1],
		hdAttempts: uint64(p.Attempts), hdDeadLen: uint64(len(p.Dead)),
	} {
		words[at] = v
	}
	copy(bytesOf(words[hdType:hdAttempts]), p.Type)
	copy(bytesOf(words[hdDead:hdPlace]), p.Dead)
	fill(words, g)
	if p.Founder.ID == [16]byte{} {
		return nil
	}
	at := g.memberAt
	words[at+mState] = uint64(p.Founder.About.state())
	for k := range uint32(4) {
		words[at+mID+k] = uint64(idWord(p.Founder.ID, k))
	}
	words[at+mPid] = uint64(uint32(p.Founder.Pid))
	words[at+mBirth] = uint64(uint32(time.Now().Unix()))
	words[gJoined] = 1
	return nil
}

// fill makes the lists of what is free.
func fill(words []uint64, g geometry) {
	for w := g.waiters; w > 0; w-- {
		words[g.waiterAt+w*waiterWords+wNext] = words[gNoWaiter]
		words[gNoWaiter] = uint64(w)
	}
	// Magazines of free records, the first records first.
	for first := (g.records-1)/keepRecords*keepRecords + 1; ; first -= keepRecords {
		n := min(keepRecords, g.records-first+1)
		for e := first; e < first+n-1; e++ {
			words[g.recordAt+e*recordWords+eNext] = uint64(e + 1)
		}
		words[g.recordAt+first*recordWords+eChain] = words[gFree]
		words[g.recordAt+first*recordWords+eFrom] = uint64(n)
		words[gFree] = uint64(first)
		if first == 1 {
			break
		}
	}
	if g.pages > 0 {
		tag := g.pages<<1 | pageFree
		words[g.pageAt+1*pageWords+pTag] = uint64(tag)
		words[g.pageAt+g.pages*pageWords+pTag] = uint64(tag)
		words[gPages] = 1
	}
}
