using System.Text.Json;
using IngestTools.Sandbox.Control;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>The control routes below /sandbox/lakefs: what the service knows, and what a test from another process may set.</summary>
internal sealed class LakeFsControl(LakeFsState state)
{
    /// <summary>Beyond this a branch's keys are counted, not listed.</summary>
    private const int MostKeys = 10_000;

    public Task? TryAnswer(HttpContext context, string[] route) => (context.Request.Method, route) switch
    {
        ("GET", ["repositories"]) => Answer.Stream(context, state.Repositories.Select(static r => r.Name)),
        ("GET", ["repositories", var name]) => RunAsync(context, () => Answer.Stream(context, Describe(state.Repository(name)))),
        ("POST", ["repositories", var name]) => TakeAsync<NewRepository>(context, given => state.AddRepository(name, given.StorageNamespace, given.ReadOnly)),
        ("POST", ["repositories", var name, "branches", var branch]) => TakeAsync<NewBranch>(context, given => Add(state.Repository(name), branch, given)),
        ("POST", ["objects"]) => TakeAsync<NewObjects>(context, Add),
        ("POST", ["tokens", "expire"]) => ExpireTokens(context),
        ("POST", ["options"]) => TakeAsync<Settings>(context, settings => settings.ApplyTo(state.Options)),
        _ => null,
    };

    private static async Task RunAsync(HttpContext context, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            await Answer.Json(context, Status400BadRequest, new { error = e.Message });
        }
        catch (LakeFsRefusal e)
        {
            await Answer.Json(context, e.Status, new { error = e.Message });
        }
    }

    private static Task TakeAsync<T>(HttpContext context, Action<T> take)
        where T : class => RunAsync(context, async () =>
    {
        take(await ControlBody.ReadAsync<T>(context));
        await Answer.Empty(context, Status204NoContent);
    });

    private Task ExpireTokens(HttpContext context)
    {
        state.Tokens.ExpireAll();
        return Answer.Empty(context, Status204NoContent);
    }

    private static object Describe(LakeFsRepository repository) => new
    {
        repository.Name,
        repository.StorageNamespace,
        repository.IsReadOnly,
        repository.StagingTokens,
        Branches = repository.Branches.Select(static b => new
        {
            b.Name,
            CommitId = b.Head.Id,
            b.Head.Message,
            b.Head.Metadata,
            b.IsDirty,
            b.Count,
            Keys = b.Count <= MostKeys ? b.Keys : null,
        }),
        Imports = repository.Imports.Select(static i => new
        {
            i.Id,
            Phase = i.Phase.ToString(),
            i.Sources,
            i.Message,
            i.Metadata,
            i.Cancellations,
            Objects = i.Record?.Objects,
            Completed = i.Record?.Completed,
            Error = i.Record?.Error?.Message,
        }),
    };

    private static void Add(LakeFsRepository repository, string name, NewBranch given)
    {
        if (given.Keys is not null || !repository.TryGetBranch(name, out LakeFsBranch? branch))
            branch = repository.AddBranch(name, given.Keys ?? []);
        branch.Stage(given.Staged ?? []);
    }

    private void Add(NewObjects given)
    {
        state.Store.Add(given.Addresses ?? []);
        if (given.Prefix is not null)
            state.Store.Add(LakeFsKeys.Numbered(given.Prefix, given.Count, given.Suffix));
    }

    private sealed record NewRepository(string? StorageNamespace = null, bool ReadOnly = false);

    /// <summary>What the branch holds from now on, and what is staged on it without a commit.</summary>
    private sealed record NewBranch(string[]? Keys = null, string[]? Staged = null);

    /// <summary>Single addresses, or so many numbered ones.</summary>
    private sealed record NewObjects(string[]? Addresses = null, string? Prefix = null, long Count = 0, string Suffix = ".parquet");

    /// <summary>What can be set from outside; what is left out stays as it is.</summary>
    private sealed record Settings(
        string? Version, LakeFsDialect? Dialect, bool? SupportsImport, bool? RefusesGetWithBody, double? ObjectsPerSecond, double? StatusMs, double? RecordMs,
        double? WriteMs, double? TokenSeconds, string? HookAborts, string? WalkFails, string[]? ImportSticks, int? RangeSize, int? StagedPerRange,
        string[]? DeniedActions, string? SecretAccessKey, string? Token, string? OidcSession, string? SamlSession)
    {
        public void ApplyTo(LakeFsOptions options)
        {
            options.Version = Version ?? options.Version;
            options.Dialect = Dialect ?? options.Dialect;
            options.SupportsImport = SupportsImport ?? options.SupportsImport;
            options.RefusesGetWithBody = RefusesGetWithBody ?? options.RefusesGetWithBody;
            options.ObjectsPerSecond = ObjectsPerSecond ?? options.ObjectsPerSecond;
            options.RangeSize = RangeSize ?? options.RangeSize;
            options.StagedPerRange = StagedPerRange ?? options.StagedPerRange;
            options.DeniedActions = DeniedActions ?? options.DeniedActions;
            options.SecretAccessKey = SecretAccessKey ?? options.SecretAccessKey;
            options.Token = Token ?? options.Token;
            options.OidcSession = OidcSession ?? options.OidcSession;
            options.SamlSession = SamlSession ?? options.SamlSession;
            ApplyTimesTo(options);
            ApplyFailuresTo(options);
        }

        private void ApplyTimesTo(LakeFsOptions options)
        {
            if (StatusMs is { } status)
                options.StatusInterval = TimeSpan.FromMilliseconds(status);
            if (RecordMs is { } record)
                options.RecordDelay = TimeSpan.FromMilliseconds(record);
            if (WriteMs is { } write)
                options.WriteTime = TimeSpan.FromMilliseconds(write);
            if (TokenSeconds is { } token)
                options.TokenLifetime = TimeSpan.FromSeconds(token);
        }

        /// <summary>An empty text takes a failure back.</summary>
        private void ApplyFailuresTo(LakeFsOptions options)
        {
            if (HookAborts is not null)
                options.HookAborts = HookAborts.Length == 0 ? null : HookAborts;
            if (WalkFails is { } words)
                options.WalkFails = words.Length == 0 ? static _ => null : _ => words;
            if (ImportSticks is { } patterns)
                options.ImportSticks = LakeFsOptions.SourcesLike(patterns);
        }
    }
}
