//! One connection: read once, run every complete request, write once.
//!
//! ```text
//!   wake -> [must close?] -> [output? write] -> [requests left? run them] -> [read] -> run -> write -> ... -> sleep
//! ```
//! The task is one hand-written poll function, so that a request costs one read call, one write call and no allocation.
//! An idle connection holds no buffer: the read buffer is lent from `Buffers` while there is something in it.

use super::Shared;
use super::stream::Stream;
use crate::base::heap::loan;
use crate::base::ids::ClientId;
use crate::client::Client;
use crate::exec::{Inbox, Verdict, pipeline};
use crate::server::Server;
use crate::server::waiting::GivenUp;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Read buffers that no connection uses.
#[derive(Default)]
pub struct Buffers {
    spare: RefCell<Vec<Vec<u8>>>,
}

const SPARE_BUFFERS_MAX: usize = 4;
/// Between two looks whether a slow script has ended, for those whose wait is over.
const LOOK_BESIDE_SCRIPT: Duration = Duration::from_millis(10);
/// Pieces of output written by one call.
const PIECES_MAX: usize = 128;

impl Buffers {
    fn lend(&self, inbox: &mut Inbox) {
        if inbox.needs_buffer()
            && let Some(buffer) = self.spare.borrow_mut().pop()
        {
            inbox.adopt_buffer(buffer);
        }
    }

    fn take_back(&self, inbox: &mut Inbox) {
        let Some(buffer) = inbox.take_empty_buffer() else { return };
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE_BUFFERS_MAX {
            spare.push(buffer);
        }
    }
}

/// What the connection does next.
enum Next {
    /// Look again at once.
    Again,
    /// Sleep until somebody wakes the task.
    Sleep,
    Close,
}

pub struct Connection {
    pub stream: Stream,
    pub client: ClientId,
    pub server: Shared,
    pub buffers: Rc<Buffers>,
    pub inbox: Inbox,
    /// Requests are left that could not be run yet.
    pub has_more: bool,
    /// The last read filled the buffer, so the socket has more: others have their turn before it is read.
    pub read_was_full: bool,
    /// The client has gone; what it had sent is still run.
    pub is_gone: bool,
    /// Wakes the client when its pause, or its wait for a key, may be over.
    pub timer: Option<Pin<Box<Sleep>>>,
    /// When its wait for a key ends, on the clock that nobody sets.
    pub wait_ends_mono_ms: Option<u64>,
}

impl Connection {
    /// Serves the client until it goes, then forgets it.
    pub async fn serve(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
        self.end();
    }

    /// Forgets the client, who has gone or must go.
    pub fn end(mut self) {
        self.stream.close();
        let mut server = self.server.borrow_mut();
        server.forget_watches(self.client);
        server.forget_subscriptions(self.client);
        server.end_wait(self.client);
        server.forget_tracking(self.client);
        server.clients.remove(self.client);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.set_waker(cx);
        loop {
            match self.step(cx) {
                Next::Again => {}
                Next::Sleep => {
                    self.buffers.take_back(&mut self.inbox);
                    return Poll::Pending;
                }
                Next::Close => return Poll::Ready(()),
            }
        }
    }

    pub fn set_waker(&mut self, cx: &Context<'_>) {
        let mut server = self.server.borrow_mut();
        let Some(client) = server.clients.get_mut(self.client) else { return };
        if client.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            client.waker = Some(cx.waker().clone());
        }
    }

    pub fn is_closed_by_us(&self) -> bool {
        self.server.borrow().clients.get(self.client).is_none_or(|client| client.close_now)
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Next {
        let shared = self.server.clone();
        let mut server = shared.borrow_mut();
        let Some(client) = server.clients.get(self.client) else { return Next::Close };
        if server.is_busy_for(self.client) {
            return self.wait_for_script(&mut server, cx);
        }
        if client.close_now {
            return Next::Close;
        }
        let closing = client.close_after_reply;
        let writes = !client.output.is_empty();
        let paused = client.paused;
        let blocked_until_ms = client.blocked.as_ref().map(|blocked| blocked.wait.deadline_ms);
        if self.is_gone {
            return self.run_out(&mut server, cx);
        }
        if writes && let Err(end) = self.write(&mut server, cx) {
            return end;
        }
        let unsent = server.clients.get(self.client).map_or(0, |client| client.output.pending_len());
        if closing {
            return if unsent == 0 { Next::Close } else { Next::Sleep };
        }
        if let Some(deadline_ms) = blocked_until_ms {
            return self.wait_for_key(&mut server, cx, deadline_ms);
        }
        if paused {
            return self.wait_out_pause(&mut server, cx);
        }
        if pipeline::must_drain(&server, unsent) {
            return self.read_ahead(&mut server, cx);
        }
        if self.has_more { self.run(&mut server, cx) } else { self.read(&mut server, cx) }
    }

    /// Receives, as far as the query buffer's limit allows, but runs nothing: first the client has to take replies. Its
    /// socket wakes the task when it does.
    fn read_ahead(&mut self, server: &mut Server, cx: &mut Context<'_>) -> Next {
        self.has_more = true;
        let limit = usize::try_from(server.config.client_query_buffer_limit).unwrap_or(usize::MAX);
        let room = limit.saturating_sub(self.inbox.pending_len());
        if room == 0 {
            return Next::Sleep;
        }
        self.inbox.put_back_found();
        self.buffers.lend(&mut self.inbox);
        let free = self.inbox.free_part();
        let room = room.min(free.len());
        match self.stream.poll_read(cx, &mut free[..room]) {
            Poll::Ready(Ok(0)) => self.leave(server),
            Poll::Ready(Ok(count)) => {
                self.received(server, count);
                pipeline::note_received(server, self.client, &self.inbox);
                if self.stream.read_was_full(count, room) { yield_turn(cx) } else { Next::Again }
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Next::Again,
            Poll::Ready(Err(_)) => self.leave(server),
            Poll::Pending => Next::Sleep,
        }
    }

    /// The client has gone. What it has asked for is done all the same, as if it had been run when it came.
    fn leave(&mut self, server: &Server) -> Next {
        if self.is_gone || !self.has_more || is_blocked(server, self.client) {
            return Next::Close;
        }
        self.is_gone = true;
        Next::Again
    }

    /// Runs what a client had sent before it went. Nobody reads the replies.
    fn run_out(&mut self, server: &mut Server, cx: &mut Context<'_>) -> Next {
        if let Some(client) = server.clients.get_mut(self.client) {
            client.output.clear();
        }
        if self.has_more && !is_blocked(server, self.client) { self.run(server, cx) } else { Next::Close }
    }

    /// Sends what came before the script and sleeps until it ends: as long as its caller must stay, even when it has
    /// gone. It is not read, as in Redis.
    fn wait_for_script(&mut self, server: &mut Server, cx: &mut Context<'_>) -> Next {
        if !self.is_gone {
            self.is_gone = self.write(server, cx).is_err();
        }
        Next::Sleep
    }

    /// Goes on when the pause is over, else sleeps until then. UNPAUSE wakes the client before; when the pause has been
    /// made longer, it sleeps again. Meanwhile it is not read: what it sends waits in the socket.
    fn wait_out_pause(&mut self, server: &mut Server, cx: &mut Context<'_>) -> Next {
        let now_ms = server.clock.now().unix_ms();
        let Some((_, until_ms)) = server.pause.in_force(now_ms) else {
            return self.run(server, cx);
        };
        let left = Duration::from_millis(until_ms.saturating_sub(now_ms).unsigned_abs());
        let timer = self.timer.insert(Box::pin(sleep(left)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Next::Again,
            Poll::Pending => Next::Sleep,
        }
    }

    /// Sleeps until the key comes that the client waits for, or its time is over. Meanwhile it is read, to see whether
    /// it goes; what it asks for is run afterwards.
    fn wait_for_key(&mut self, server: &mut Server, cx: &mut Context<'_>, deadline_ms: Option<i64>) -> Next {
        if self.inbox.pending_len() as u64 >= server.config.client_query_buffer_limit {
            // No more can be read from it, so nobody would see it go.
            return self.overflows(server);
        }
        if let Some(deadline_ms) = deadline_ms {
            let now = server.clock.now();
            let wait_ms = || deadline_ms.saturating_sub(now.unix_ms());
            let begins = || now.mono_ms().saturating_add_signed(wait_ms());
            let ends_mono_ms = *self.wait_ends_mono_ms.get_or_insert_with(begins);
            let left_ms = i64::try_from(ends_mono_ms.saturating_sub(now.mono_ms())).unwrap_or(i64::MAX);
            if left_ms == 0 && server.is_busy() {
                // The script may have what it waits for: as in Redis, it gets that when the script has ended.
                let timer = self.timer.insert(Box::pin(sleep(LOOK_BESIDE_SCRIPT)));
                return if timer.as_mut().poll(cx).is_ready() { Next::Again } else { Next::Sleep };
            }
            if left_ms == 0 {
                server.give_up_wait(self.client, GivenUp::TimedOut);
                self.has_more = true;
                return Next::Again;
            }
            let timer = self.timer.insert(Box::pin(sleep(timer_length(left_ms))));
            if timer.as_mut().poll(cx).is_ready() {
                return Next::Again;
            }
        }
        self.read_ahead(server, cx)
    }

    /// Sends what the socket takes. `Err` says what to do when it fails.
    fn write(&mut self, server: &mut Server, cx: &mut Context<'_>) -> Result<(), Next> {
        let to_send = |client: &&Client| !client.output.is_empty() && !client.close_now;
        while let Some(client) = server.clients.get(self.client).filter(to_send) {
            let polled = if client.output.is_in_one_piece() {
                self.stream.poll_write(cx, client.output.pending())
            } else {
                let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
                let count = client.output.pieces(&mut pieces);
                self.stream.poll_write_pieces(cx, &pieces[..count])
            };
            match polled {
                Poll::Ready(Ok(0)) => return Err(self.leave(server)),
                Poll::Ready(Ok(count)) => {
                    server.stats.net_output_bytes += count as u64;
                    server.stats.writes_processed += 1;
                    server.clients.output_sent(self.client, count);
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(_)) => return Err(self.leave(server)),
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    fn read(&mut self, server: &mut Server, cx: &mut Context<'_>) -> Next {
        self.buffers.lend(&mut self.inbox);
        let free_part = self.inbox.free_part();
        let free_bytes = free_part.len();
        match self.stream.poll_read(cx, free_part) {
            Poll::Ready(Ok(0)) => Next::Close,
            Poll::Ready(Ok(count)) => {
                self.read_was_full = self.stream.read_was_full(count, free_bytes);
                self.received(server, count);
                self.run(server, cx)
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Next::Again,
            Poll::Ready(Err(_)) => Next::Close,
            Poll::Pending => Next::Sleep,
        }
    }

    fn received(&mut self, server: &mut Server, count: usize) {
        self.inbox.fill(count);
        server.stats.net_input_bytes += count as u64;
        server.stats.reads_processed += 1;
        if let Some(client) = server.clients.get_mut(self.client) {
            client.input_bytes_total += count as u64;
        }
    }

    fn overflows(&self, server: &mut Server) -> Next {
        tracing::warn!("Closing client that reached max query buffer length: id={}", self.client);
        server.stats.query_buffer_limit_disconnections += 1;
        Next::Close
    }

    fn run(&mut self, server: &mut Server, cx: &mut Context<'_>) -> Next {
        (self.timer, self.wait_ends_mono_ms) = (None, None);
        loan::lend();
        let verdict = pipeline::run(server, self.client, &mut self.inbox);
        self.has_more = matches!(verdict, Verdict::TurnOver | Verdict::Blocked | Verdict::Suspended);
        if self.inbox.pending_len() as u64 > server.config.client_query_buffer_limit {
            return self.overflows(server);
        }
        // Replies are sent after the others that are ready have had their turn: a client that waits for several of them
        // is woken once, and waking one costs as much as many requests do.
        let has_replies = server.clients.get(self.client).is_some_and(|client| !client.output.is_empty());
        match verdict {
            Verdict::TurnOver => yield_turn(cx),
            _ if has_replies && !self.is_gone => {
                self.read_was_full = false;
                yield_turn(cx)
            }
            Verdict::NeedsInput if self.read_was_full => {
                self.read_was_full = false;
                yield_turn(cx)
            }
            Verdict::NeedsInput
            | Verdict::Paused
            | Verdict::Blocked
            | Verdict::Suspended
            | Verdict::Close => Next::Again,
        }
    }
}

fn is_blocked(server: &Server, client: ClientId) -> bool {
    server.clients.get(client).is_some_and(|client| client.blocked.is_some())
}

/// Timers have a longest length; whoever waits longer is woken in between.
fn timer_length(left_ms: i64) -> Duration {
    const TIMER_MS_MAX: u64 = 24 * 60 * 60 * 1000;
    Duration::from_millis(left_ms.unsigned_abs().min(TIMER_MS_MAX))
}

/// Lets the other tasks run before this one goes on.
fn yield_turn(cx: &Context<'_>) -> Next {
    cx.waker().wake_by_ref();
    Next::Sleep
}
