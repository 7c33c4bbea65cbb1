//! The cron's timer.

use super::Shared;
use crate::exec::cron;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

/// Ticks `hz` times a second for as long as the server runs. A tick that comes late is not made up for.
pub async fn run_cron(server: Shared, hz: Rc<Cell<u32>>) {
    loop {
        sleep(Duration::from_secs(1) / hz.get().max(1)).await;
        let mut server = server.borrow_mut();
        let now = server.clock.now();
        cron::tick(&mut server, now);
    }
}
