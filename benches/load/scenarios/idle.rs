//! What a server costs that nobody calls.

use std::time::Duration;

use super::mb;
use crate::{
    client::{Plan, once},
    report::{self, Report},
    server::Server,
    webhooks::Shop,
    wire::Outcome,
};

pub fn run(report: &mut Report) {
    let shop = Shop::stripes("", 100);
    let server = Server::start(&shop.config);
    std::thread::sleep(Duration::from_secs(2));
    let idle = server.rss();
    let before = server.cpu();
    std::thread::sleep(Duration::from_secs(2));
    let spent = server.cpu() - before;
    let calls: Vec<_> = shop.one_each().iter().map(|webhook| webhook.call()).collect();
    let (target, size) = (server.target(), std::fs::metadata(crate::server::binary()));
    // The bound is for what ships; other profiles carry symbols and unused code.
    let dist = report::profile() == "dist";
    let goal = "100 variants, before any call: RSS <= 8 MB (profile dist)";
    if dist {
        report.must(goal, mb(idle), idle <= 8 * 1024);
    } else {
        report.tell(goal, format!("{} (profile {})", mb(idle), report::profile()));
    }
    let answered = once(&target, &calls[0]).expect("an answer");
    report.must("it serves", format!("{answered:?}"), answered == Outcome::Answered { code: 0 });
    let plan = Plan { connections: 2, streams: 10, count: 20_000, ..Plan::new(&target, &calls) };
    let found = plan.run();
    report.must("20,000 calls", found.summary(), found.ok() == found.answered());
    let busy = server.rss();
    if dist {
        report.must("after them: RSS <= 16 MB (profile dist)", mb(busy), busy <= 16 * 1024);
    } else {
        report.tell("after them: RSS", mb(busy));
    }
    report.tell("CPU of an idle second", format!("{:?}", spent / 2));
    let size = size.expect("the binary").len() as f64 / 1e6;
    report.tell("size of the binary", format!("{size:.1} MB"));
}
