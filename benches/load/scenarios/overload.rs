//! Three times what the server can do: it goes on doing it, within its memory, and says so to the
//! rest.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{MEMORY_KIB, mb, ms};
use crate::{
    client::{Found, Plan, once},
    cores::Cores,
    histogram::Histogram,
    report::Report,
    server::Server,
    webhooks::{HEALTH, Shop, Webhook},
    wire::{Call, Outcome, Target},
};

pub fn run(report: &mut Report) {
    let shop = Shop::stripes("", 10);
    let calls: Vec<_> = shop.webhooks().iter().map(Webhook::call).collect();
    // Each on a core of its own, at the peak and above it: a client that takes the server's time
    // would take more of it the more it offers.
    let cores = Cores::found();
    cores.first();
    let server = Server::start(&shop.config);
    cores.second();
    let target = server.target();
    let rounds = report.length.pick(2, 12);
    let (peak_time, time) = report.length.pick((1, 2), (3, 5));
    let over = AtomicBool::new(false);
    let (mut peaks, mut overload, mut offered) = (Vec::new(), Found::default(), 0.0);
    let (mut goodputs, mut spent) = (Vec::new(), Duration::ZERO);
    // The first calls load secrets and warm everything up.
    peak(&target, &calls, Duration::from_millis(500));
    let health = std::thread::scope(|scope| {
        let health = scope.spawn(|| probes(&server, &over));
        // In turns, so that what else the machine does falls on both alike.
        for _ in 0..rounds {
            let found = peak(&target, &calls, Duration::from_secs(peak_time));
            let rate = 3.0 * found.goodput();
            peaks.push(found.goodput());
            offered += rate * time as f64;
            let before = server.cpu();
            let found = Plan {
                connections: CONNECTIONS,
                streams: STREAMS,
                rate: Some(rate),
                time: Duration::from_secs(time),
                ..Plan::new(&target, &calls)
            }
            .run();
            spent += server.cpu() - before;
            goodputs.push(found.goodput());
            overload = std::mem::take(&mut overload).merge(&found);
        }
        over.store(true, Ordering::Relaxed);
        health.join().expect("the prober ran")
    });
    tell(report, &server, &peaks, &goodputs, &overload, &health);
    let seconds = (rounds * time) as f64;
    report.tell("offered", format!("{:.0} calls in {seconds} s", offered));
    report
        .tell("server's CPU in that time", format!("{:.2} of one", spent.as_secs_f64() / seconds));
    report.tell("cores", cores.to_string());
    back_to_normal(report, &target, &calls);
    cores.all();
}

/// As many as it can do: a closed loop.
fn peak(target: &Target, calls: &[Call], time: Duration) -> Found {
    Plan { connections: 4, streams: 50, time, ..Plan::new(target, calls) }.run()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

struct Health {
    asked: u64,
    served: u64,
    times: Histogram,
}

/// Asks for health in every way that a kubelet or a client does.
fn probes(server: &Server, over: &AtomicBool) -> Health {
    let mut health = Health { asked: 0, served: 0, times: Histogram::default() };
    let check = Call::new(HEALTH, &[]);
    let admin = Target::Tcp(server.admin);
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let asked = once(&admin, &check);
        health.times.note(began.elapsed());
        let ready = server.get("/readyz").is_some_and(|(status, _)| status == 200);
        let own = once(&server.target(), &check);
        for fine in [
            matches!(asked, Ok(Outcome::Answered { code: 0 })),
            ready,
            matches!(own, Ok(Outcome::Answered { code: 0 })),
        ] {
            health.asked += 1;
            health.served += u64::from(fine);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    health
}

fn tell(
    report: &mut Report,
    server: &Server,
    peaks: &[f64],
    goodputs: &[f64],
    overload: &Found,
    health: &Health,
) {
    let ratios: Vec<_> = goodputs.iter().zip(peaks).map(|(good, peak)| good / peak).collect();
    let ratio = median(&ratios);
    let measured =
        format!("{ratio:.2} ({:.0} of {:.0} a second, medians)", median(goodputs), median(peaks));
    report.should("3 x capacity: goodput >= 0.90 of peak", measured, ratio >= 0.90);
    let rss = server.rss_peak();
    report.must("memory <= 48 MB", mb(rss), rss <= MEMORY_KIB);
    let measured = format!("{} of {}, p99 {}", health.served, health.asked, ms(health.times.p99()));
    report.must("health answered", measured, health.asked > 10 && health.served == health.asked);
    let refused = overload.answered() - overload.ok();
    let shed = overload.answers.get(&(8, "OVERLOADED".to_owned())).copied().unwrap_or(0);
    let measured = format!("{shed} of {refused} refusals");
    report.must("refusals are RESOURCE_EXHAUSTED", measured, shed == refused);
    report.must("no call is lost", format!("{}", overload.lost), overload.lost == 0);
    report.tell("answers", overload.summary());
    report.tell("p99 of accepted, waiting at the client included", ms(overload.latency.p99()));
}

fn back_to_normal(report: &mut Report, target: &Target, calls: &[Call]) {
    let quiet = Plan {
        connections: 4,
        // Below the bound of calls: what piles up while a machine stands still waits here.
        streams: 12,
        rate: Some(1000.0),
        time: Duration::from_secs(1),
        ..Plan::new(target, calls)
    };
    let found = quiet.run();
    let fine = found.ok() == found.answered() && found.lost == 0;
    report.must("1,000 a second right afterwards: all OK", found.summary(), fine);
    report.tell("their p99", ms(found.latency.p99()));
}

/// Below the bound of connections, with room for probes.
const CONNECTIONS: usize = 48;
/// What the server allows on each.
const STREAMS: usize = 100;
