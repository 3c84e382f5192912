package shape

import "github.com/handoff-go/handoff/internal/bench/measure"

// The language has no list of cases, so these are written out.

func blockingGo8() func(int) measure.Sample {
	chs := [8]chan int(empty(8))
	sum := 0
	return func(n int) measure.Sample {
		return measure.Together(func() {
			for i := range n {
				chs[i%8] <- i
			}
		}, func() {
			for range n {
				select {
				case v := <-chs[0]:
					sum += v
				case v := <-chs[1]:
					sum += v
				case v := <-chs[2]:
					sum += v
				case v := <-chs[3]:
					sum += v
				case v := <-chs[4]:
					sum += v
				case v := <-chs[5]:
					sum += v
				case v := <-chs[6]:
					sum += v
				case v := <-chs[7]:
					sum += v
				}
			}
		})
	}
}

func blockingGo64() func(int) measure.Sample {
	chs := [64]chan int(empty(64))
	sum := 0
	return func(n int) measure.Sample {
		return measure.Together(func() {
			for i := range n {
				chs[i%64] <- i
			}
		}, func() {
			for range n {
				select {
				case v := <-chs[0]:
					sum += v
				case v := <-chs[1]:
					sum += v
				case v := <-chs[2]:
					sum += v
				case v := <-chs[3]:
					sum += v
				case v := <-chs[4]:
					sum += v
				case v := <-chs[5]:
					sum += v
				case v := <-chs[6]:
					sum += v
				case v := <-chs[7]:
					sum += v
				case v := <-chs[8]:
					sum += v
				case v := <-chs[9]:
					sum += v
				case v := <-chs[10]:
					sum += v
				case v := <-chs[11]:
					sum += v
				case v := <-chs[12]:
					sum += v
				case v := <-chs[13]:
					sum += v
				case v := <-chs[14]:
					sum += v
				case v := <-chs[15]:
					sum += v
				case v := <-chs[16]:
					sum += v
				case v := <-chs[17]:
					sum += v
				case v := <-chs[18]:
					sum += v
				case v := <-chs[19]:
					sum += v
				case v := <-chs[20]:
					sum += v
				case v := <-chs[21]:
					sum += v
				case v := <-chs[22]:
					sum += v
				case v := <-chs[23]:
					sum += v
				case v := <-chs[24]:
					sum += v
				case v := <-chs[25]:
					sum += v
				case v := <-chs[26]:
					sum += v
				case v := <-chs[27]:
					sum += v
				case v := <-chs[28]:
					sum += v
				case v := <-chs[29]:
					sum += v
				case v := <-chs[30]:
					sum += v
				case v := <-chs[31]:
					sum += v
				case v := <-chs[32]:
					sum += v
				case v := <-chs[33]:
					sum += v
				case v := <-chs[34]:
					sum += v
				case v := <-chs[35]:
					sum += v
				case v := <-chs[36]:
					sum += v
				case v := <-chs[37]:
					sum += v
				case v := <-chs[38]:
					sum += v
				case v := <-chs[39]:
					sum += v
				case v := <-chs[40]:
					sum += v
				case v := <-chs[41]:
					sum += v
				case v := <-chs[42]:
					sum += v
				case v := <-chs[43]:
					sum += v
				case v := <-chs[44]:
					sum += v
				case v := <-chs[45]:
					sum += v
				case v := <-chs[46]:
					sum += v
				case v := <-chs[47]:
					sum += v
				case v := <-chs[48]:
					sum += v
				case v := <-chs[49]:
					sum += v
				case v := <-chs[50]:
					sum += v
				case v := <-chs[51]:
					sum += v
				case v := <-chs[52]:
					sum += v
				case v := <-chs[53]:
					sum += v
				case v := <-chs[54]:
					sum += v
				case v := <-chs[55]:
					sum += v
				case v := <-chs[56]:
					sum += v
				case v := <-chs[57]:
					sum += v
				case v := <-chs[58]:
					sum += v
				case v := <-chs[59]:
					sum += v
				case v := <-chs[60]:
					sum += v
				case v := <-chs[61]:
					sum += v
				case v := <-chs[62]:
					sum += v
				case v := <-chs[63]:
					sum += v
				}
			}
		})
	}
}
