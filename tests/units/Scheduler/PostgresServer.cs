using System.Diagnostics;
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

/// <summary>A PostgreSQL of the test's own: in a temporary folder, on a Unix socket, as an account that is not root.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder;

    private PostgresServer(string folder) => _folder = folder;

    /// <summary>The folder of the newest version's programs; null where there is none.</summary>
    public static string? Programs { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(path => path, StringComparer.Ordinal).Select(path => Path.Join(path, "bin")).FirstOrDefault(path => File.Exists(Path.Join(path, "initdb")))
        : null;

    public string Connection => $"Host={_folder};Username=ingest;Database=postgres;Include Error Detail=true";

    public static async Task<PostgresServer> StartAsync()
    {
        PostgresServer server = new($"/tmp/ingesttools-pg-{Guid.NewGuid():N}"[..32]);
        await RunAsync(Path.Join(Programs, "initdb"), "-D", server._folder, "-U", "ingest", "-A", "trust", "-E", "UTF8", "--no-sync");
        await RunAsync(Path.Join(Programs, "pg_ctl"), "-D", server._folder, "-l", Path.Join(server._folder, "log"), "-w", "-o", $"-k {server._folder} -h '' -F", "start");
        return server;
    }

    public async Task<long> CountAsync(string sql)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(Connection);
        await using NpgsqlCommand command = source.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), null);
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync(Path.Join(Programs, "pg_ctl"), "-D", _folder, "-m", "immediate", "-w", "stop");
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>PostgreSQL does not run as root.</summary>
    private static async Task RunAsync(params string[] command)
    {
        string[] whole = Environment.UserName == "root" ? ["/usr/sbin/runuser", "-u", "postgres", "--", .. command] : command;
        // What a server leaves running must not hold on to the test's output.
        ProcessStartInfo start = new("/bin/sh", ["-c", "exec \"$@\" > /dev/null 2>&1 < /dev/null", "sh", .. whole]) { WorkingDirectory = "/tmp" };
        using Process process = Process.Start(start)!;
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)} ended with {process.ExitCode}");
    }
}
