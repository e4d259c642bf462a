-- What wrk sends and how it reports. The body's file and the headers come through the environment, so that the key
-- is on no command line. The request is set once: wrk then repeats the same bytes without calling Lua again.
local body = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = body:read("*a")
body:close()
for name, value in os.getenv("BENCH_HEADERS"):gmatch("([^\n:]+):([^\n]*)") do
  wrk.headers[name] = value
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
