-- PostgreSQL; for SQLite read `bytea` as `blob`. Any database with unique indexes will do.
create table payment (
    token text primary key,
    status text not null,
    state bytea not null
);

-- One row per event that was ever applied. Its primary key is what makes a repeat harmless.
create table applied_event (
    idempotency_key varchar(512) primary key,
    token text not null,
    advice text not null,
    event bytea not null,
    applied_at timestamp not null default current_timestamp
);

-- What is to be done because of an event: written with it, done by a worker after the commit.
create table outbox (
    job text not null,
    token text not null
);
