PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE ingest_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO ingest_meta VALUES('schema','1');
INSERT INTO ingest_meta VALUES('quartz','4.7.3');
CREATE TABLE ingest_schedule (
    name_key TEXT PRIMARY KEY, revision TEXT NOT NULL, definition TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
        spool TEXT,
    registered_at BIGINT NOT NULL, registered_by TEXT, next_due BIGINT);
INSERT INTO ingest_schedule VALUES('yearly','1e5eb5ff82d74bbb834d7d9faa0e7dff','{"name":"yearly","load":{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false},"cron":"0 3 1 1 *","timeZone":"UTC","missedRun":"RunOnce","overlap":"Skip"}','Active',NULL,NULL,1795731136152,'ann@machine',1798772400000);
INSERT INTO ingest_schedule VALUES('paused','adaac16d9b2047fdbc71d4b1db912bd8','{"name":"paused","load":{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false},"cron":"0 4 1 1 *","timeZone":"UTC","missedRun":"RunOnce","overlap":"Skip"}','Suspended','the server is moved (ann@machine)',NULL,1795731137185,'ann@machine',1798776000000);
INSERT INTO ingest_schedule VALUES('once','6dfdc90b0af24237a541ece6d4599908','{"name":"once","load":{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false},"at":"2099-01-01T00:00:00+00:00","timeZone":"UTC","missedRun":"RunOnce","overlap":"Skip"}','Active',NULL,NULL,1795731137364,'ann@machine',4070908800000);
INSERT INTO ingest_schedule VALUES('often','5c3471a0c9984c2eb16627d3545f71e2','{"name":"often","load":{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false},"every":"00:00:01","timeZone":"UTC","missedRun":"RunOnce","overlap":"Skip"}','Active',NULL,NULL,1795731139161,'ann@machine',1795731140161);
CREATE TABLE ingest_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name_key TEXT NOT NULL, name TEXT NOT NULL, due_key TEXT NOT NULL UNIQUE,
        due_at BIGINT NOT NULL, manual BIGINT NOT NULL,
    status TEXT NOT NULL, ended BIGINT NOT NULL, started_at BIGINT, completed_at BIGINT, load TEXT NOT NULL, spool TEXT,
        host TEXT NOT NULL,
    transaction_ids TEXT NOT NULL, remote_name TEXT, completed BIGINT, total BIGINT, unit TEXT, message TEXT, marker TEXT,
    node TEXT, claim TEXT, stop_requested BIGINT NOT NULL DEFAULT 0);
INSERT INTO ingest_run VALUES(1,'yearly','yearly','1e5eb5ff82d74bbb834d7d9faa0e7dff/manual/82b75d1509c1472e9753eb8b857cc27e',1795731137397,1,'Succeeded',1,1795731137456,1795731139041,'{"kind":"BulkIngest","connection":"dsp","server":"{server}","path":"{folder}","shortcode":"0001","recurse":false,"again":false}',NULL,'{host}','["dsp:0001"]',NULL,1,1,'files',NULL,'{"rows":0,"names":["one.txt"]}','machine','7bd938112ccc4c1eac64a22262c4eac4',0);
CREATE TABLE ingest_run_log (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id BIGINT NOT NULL, written_at BIGINT NOT NULL, severity TEXT NOT NULL, message TEXT NOT NULL);
INSERT INTO ingest_run_log VALUES(1,1,1795731137484,'Information','Begins on machine: BulkIngest over dsp, due at 2026-11-26 22:12:17Z, 0.1 s late.');
INSERT INTO ingest_run_log VALUES(2,1,1795731138267,'Information','Submitted: dsp:0001.');
INSERT INTO ingest_run_log VALUES(3,1,1795731139094,'Information','Succeeded after 1.6 s, 1 of 1 files, dsp:0001.');
CREATE TABLE ingest_node (node TEXT PRIMARY KEY, claim TEXT NOT NULL, host TEXT NOT NULL, process BIGINT NOT NULL, seen BIGINT NOT NULL);
INSERT INTO ingest_node VALUES('machine','7bd938112ccc4c1eac64a22262c4eac4','machine',18864,1795731138225);
CREATE TABLE ingest_spool (name TEXT NOT NULL, part BIGINT NOT NULL, content BLOB NOT NULL, kept_at BIGINT NOT NULL, PRIMARY KEY (name, part));
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('ingest_run',1);
INSERT INTO sqlite_sequence VALUES('ingest_run_log',3);
CREATE INDEX ingest_schedule_due ON ingest_schedule (status, next_due);
CREATE INDEX ingest_run_name ON ingest_run (name_key, id);
CREATE INDEX ingest_run_going ON ingest_run (ended, host);
CREATE INDEX ingest_run_completed ON ingest_run (completed_at);
CREATE INDEX ingest_run_log_run ON ingest_run_log (run_id);
COMMIT;
