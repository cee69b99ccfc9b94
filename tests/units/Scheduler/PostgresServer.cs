using System.Diagnostics;
using IngestTools.Scheduler.Store;
using IngestTools.Units.Support;
using Npgsql;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>A fact that needs PostgreSQL's programs. Without them it is skipped, and its name says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute()
    {
        if (PostgresServer.Programs is not null)
            return;
        Skip = "there is no PostgreSQL in /usr/lib/postgresql (apt-get install postgresql)";
        DisplayName = $"POSTGRESQL TESTS SKIPPED: {Skip}";
    }
}

/// <summary>
/// A PostgreSQL of the test's own: in a temporary folder, on a Unix socket, as an account that is not root. It ends with the test run,
/// however that ends.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly Process _process;

    private PostgresServer(string folder, Process process) => (_folder, _process) = (folder, process);

    /// <summary>The folder of the newest version's programs; null where there is none.</summary>
    public static string? Programs { get; } =
        Directory.Exists("/usr/lib/postgresql")
            ? Directory
                .GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(path => path, StringComparer.Ordinal)
                .Select(path => Path.Join(path, "bin"))
                .FirstOrDefault(path => File.Exists(Path.Join(path, "initdb")))
            : null;

    /// <summary>The role that the tests use.</summary>
    public const string Role = "ingest";

    public string Connection => $"Host={_folder};Username={Role};Database=postgres;Include Error Detail=true";

    public static async Task<PostgresServer> StartAsync()
    {
        // Short, since a socket's path is.
        string folder = $"/tmp/ingesttools-pg-{Guid.NewGuid():N}"[..32];
        string data = Path.Join(folder, "data");
        await EndsWellAsync(Process.Start(ForPostgres("mkdir", folder)));
        await EndsWellAsync(Start(folder, "initdb", "-D", data, "-U", "ingest", "-A", "trust", "-E", "UTF8", "--no-sync"), folder);
        PostgresServer server = new(folder, Start(folder, "postgres", "-D", data, "-k", folder, "-h", "", "-F"));
        await server.ReadyAsync();
        return server;
    }

    public async Task<long> CountAsync(string sql)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(Connection);
        await using NpgsqlCommand command = source.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), null);
    }

    /// <summary>A store with its tables.</summary>
    public async Task<PostgresDialect> OpenStoreAsync()
    {
        PostgresDialect dialect = new(Connection);
        await StoreSchema.ProvideAsync(dialect, TimeSpan.Zero, CancellationToken.None);
        return dialect;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(Connection);
        await using NpgsqlCommand command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ProcessSignal.Send(_process.Id, ProcessSignal.Quit);
        await _process.WaitForExitAsync().WaitAsync(TimeLimit);
        ProcessWatch.Remove(_process);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task ReadyAsync()
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using NpgsqlConnection connection = new(Connection + ";Pooling=false");
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException e)
            {
                Assert.False(_process.HasExited, $"PostgreSQL ended: {LogOf(_folder)}");
                Assert.True(waited.Elapsed < TimeLimit, $"PostgreSQL does not answer: {e} {LogOf(_folder)}");
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Starts a program of PostgreSQL. What it writes goes to a file, since a pipe that nobody reads would stop it.</summary>
    private static Process Start(string folder, string program, params string[] arguments)
    {
        const string exec = "exec \"$@\" >> \"$0\" 2>&1 < /dev/null";
        string[] command = ["/bin/sh", "-c", exec, Path.Join(folder, "log"), Path.Join(Programs, program), .. arguments];
        Process process = Process.Start(ForPostgres(command))!;
        ProcessWatch.Add(process, "QUIT", folder);
        return process;
    }

    /// <summary>PostgreSQL does not run as root.</summary>
    private static ProcessStartInfo ForPostgres(params string[] command)
    {
        string[] account =
            Environment.UserName == "root" ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : [];
        string[] whole = [.. account, .. command];
        return new ProcessStartInfo(whole[0], whole[1..]) { WorkingDirectory = "/tmp" };
    }

    private static async Task EndsWellAsync(Process? started, string? folder = null)
    {
        using Process process = started!;
        await process.WaitForExitAsync().WaitAsync(TimeLimit);
        ProcessWatch.Remove(process);
        string command = string.Join(' ', process.StartInfo.ArgumentList);
        Assert.True(process.ExitCode == 0, $"{command} ended with {process.ExitCode}: {LogOf(folder)}");
    }

    private static string? LogOf(string? folder) => folder is null ? null : File.ReadAllText(Path.Join(folder, "log"));
}
