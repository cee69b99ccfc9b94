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

    public Task? TryAnswer(HttpContext context, string[] route) =>
        (context.Request.Method, route) switch
        {
            ("GET", ["repositories"]) => Answer.Stream(context, state.Repositories.Select(static r => r.Name)),
            ("GET", ["repositories", var name]) => RunAsync(context, () => Answer.Stream(context, Describe(state.Repository(name)))),
            ("POST", ["repositories", var name]) => TakeAsync<NewRepository>(
                context,
                given => state.AddRepository(name, given.StorageNamespace, given.ReadOnly)
            ),
            ("POST", ["repositories", var name, "branches", var branch]) => TakeAsync<NewBranch>(
                context,
                given => Add(state.Repository(name), branch, given)
            ),
            ("POST", ["objects"]) => TakeAsync<NewObjects>(context, Add),
            ("POST", ["tokens", "expire"]) => ExpireTokens(context),
            ("POST", ["options"]) => TakeAsync<LakeFsSettings>(context, settings => settings.ApplyTo(state.Options)),
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
        where T : class =>
        RunAsync(
            context,
            async () =>
            {
                take(await ControlBody.ReadAsync<T>(context));
                await Answer.Empty(context, Status204NoContent);
            }
        );

    private Task ExpireTokens(HttpContext context)
    {
        state.Tokens.ExpireAll();
        return Answer.Empty(context, Status204NoContent);
    }

    private static object Describe(LakeFsRepository repository) =>
        new
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

    /// <summary>Single addresses, or a number of numbered ones.</summary>
    private sealed record NewObjects(string[]? Addresses = null, string? Prefix = null, long Count = 0, string Suffix = ".parquet");
}
